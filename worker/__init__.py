"""Claims a batch, reads, preprocesses, classifies, settles; embedded processes and the Celery app."""
