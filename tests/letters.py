"""Taking commands out of a study's mailbox at once, as a test that plays the session does."""

from tunerstudio.store.mailbox import read, remove


def take(folder):
    """All letters, oldest first; they are gone from the mailbox."""
    letters = read(folder)
    for letter in letters:
        remove(folder, letter.id)
    return letters
