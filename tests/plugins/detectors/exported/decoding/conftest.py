collect_ignore = ["record.py"]  # needs torch, and is run by hand
