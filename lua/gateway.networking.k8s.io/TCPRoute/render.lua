-- Gateway API: a TCPRoute, edited in place. Nothing tells one connection from another, so they can only be divided.
-- https://gateway-api.sigs.k8s.io/reference/spec/#tcprouterule

local gateway = use "gateway"

return {
  reads = gateway.reads,

  supports = { "weight" },

  render = function(given, stage)
    return gateway.connections(given, stage)
  end,
}
