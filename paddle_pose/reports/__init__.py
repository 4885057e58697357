"""What val.py --report shows: where predictions are right, where they are wrong, and how.

Pure numpy functions on `Pairs` (pairs.py), plots of their results, and a page that holds them. Imports no paddle;
matplotlib is imported when a page is drawn.
"""
