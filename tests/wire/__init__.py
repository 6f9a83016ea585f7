"""Wire formats against tables, corpora and slow reference readers."""
