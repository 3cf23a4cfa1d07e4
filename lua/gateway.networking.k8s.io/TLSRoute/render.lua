-- Gateway API: a TLSRoute, edited in place. What is in a connection is not seen but for the name that it asks for, and
-- that the route names itself; so connections can only be divided.
-- https://gateway-api.sigs.k8s.io/reference/spec/#tlsrouterule

return (use "gateway").connections
