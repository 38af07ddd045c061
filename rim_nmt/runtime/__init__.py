"""The ground under the commands: files, processes, the console, fairseq's own commands."""
