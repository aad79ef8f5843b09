"""What the program does from start to end, whoever asks for it: it prints nothing and knows no command line."""
