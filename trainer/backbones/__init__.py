"""Networks that others have trained on other pictures, as layers and weights of ours."""
