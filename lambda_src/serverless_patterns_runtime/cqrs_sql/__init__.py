"""Views in PostgreSQL: by any DB-API driver, or through the Data API of Aurora."""
