"""What the mock keeps or lists and does not bill: models, files, batches; one file each."""
