"""What a session left in the store."""

from tunerstudio.store.reader import StudyReader


def trials_of(folder):
    with StudyReader(folder) as reader:
        return reader.trials()


def epochs_of(folder, trial):
    with StudyReader(folder) as reader:
        return reader.epochs(trial)
