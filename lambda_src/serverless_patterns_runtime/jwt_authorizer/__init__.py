"""Who is calling: a JSON Web Token that a known issuer signed, checked by PyJWT."""
