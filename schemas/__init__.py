"""What crosses a border: messages, tables, predictions, labels, a model's card, errors."""
