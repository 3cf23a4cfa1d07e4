-- Gateway API: a TCPRoute, edited in place. Nothing tells one connection from another, so they can only be divided.
-- https://gateway-api.sigs.k8s.io/reference/spec/#tcprouterule

return (use "gateway").connections
