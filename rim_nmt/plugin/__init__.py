"""What `--user-dir user_dir` changes in fairseq. Importing `register` applies it."""
