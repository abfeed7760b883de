"""What a partner department imports: the client, the evidence verifier and the wire types."""
