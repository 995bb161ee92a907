"""The hub's database as data: each migration is a version and the statements that make it.

A migration that has been released is never edited; a change is a new one at the end.
"""

from typing import Final

MIGRATIONS: Final[tuple[tuple[int, tuple[str, ...]], ...]] = (
    (
        1,
        (
            """CREATE TABLE spaces (
                id TEXT PRIMARY KEY, name TEXT NOT NULL, mode TEXT NOT NULL, rules TEXT NOT NULL
            ) STRICT""",
            """CREATE TABLE members (
                id TEXT PRIMARY KEY, key TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
                role TEXT NOT NULL, first_seen TEXT NOT NULL, last_seen TEXT NOT NULL,
                last_space TEXT
            ) STRICT""",
            """CREATE TABLE places (
                member TEXT NOT NULL, space TEXT NOT NULL, place TEXT NOT NULL,
                PRIMARY KEY (member, space)
            ) STRICT, WITHOUT ROWID""",
        ),
    ),
    # Spaces with a life of their own: what is kept of each, who was there, what happened.
    (
        2,
        (
            # What a space was made of before it had a life: nothing could make one yet.
            "DROP TABLE spaces",
            "DROP TABLE places",
            """CREATE TABLE spaces (
                id TEXT PRIMARY KEY, kept TEXT NOT NULL, settings TEXT NOT NULL,
                saved_at TEXT NOT NULL
            ) STRICT""",
            """CREATE TABLE ended_spaces (
                id TEXT PRIMARY KEY, state TEXT NOT NULL, kept TEXT NOT NULL,
                ended_at TEXT NOT NULL, keep_days INTEGER NOT NULL
            ) STRICT""",
            "CREATE TABLE attendance (space TEXT PRIMARY KEY, book TEXT NOT NULL) STRICT",
            """CREATE TABLE audit (
                n INTEGER PRIMARY KEY, at TEXT NOT NULL, space TEXT NOT NULL, kind TEXT NOT NULL,
                member TEXT, name TEXT NOT NULL, detail TEXT NOT NULL, by TEXT NOT NULL
            ) STRICT""",
            "CREATE INDEX audit_of_space ON audit (space, n)",
            # What an admin said of a member: the name it goes by, and whether it is known
            # (NULL: what its kind brings).
            "ALTER TABLE members ADD COLUMN given TEXT",
            "ALTER TABLE members ADD COLUMN known INTEGER",
        ),
    ),
    # The console: accounts, sessions, webhooks, answers to repeated requests.
    (
        3,
        (
            "CREATE TABLE admins (id INTEGER PRIMARY KEY, kept TEXT NOT NULL) STRICT",
            "CREATE TABLE admin_sessions (hash TEXT PRIMARY KEY, ends TEXT NOT NULL) STRICT",
            """CREATE TABLE replays (
                n INTEGER PRIMARY KEY, who TEXT NOT NULL, key TEXT NOT NULL,
                digest TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL,
                at TEXT NOT NULL, UNIQUE (who, key)
            ) STRICT""",
            """CREATE TABLE webhooks (
                id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT NOT NULL, secret TEXT NOT NULL,
                events TEXT NOT NULL, made_at TEXT NOT NULL
            ) STRICT""",
        ),
    ),
    # Recordings are files; here is only what lasts when they are gone.
    (
        4,
        (
            # What was deleted, and nothing about it but that and when.
            "CREATE TABLE deleted_recordings (id TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT",
        ),
    ),
    # Boxes that this hub knows by their keys. ``pin``: of the certificate that it used last.
    (
        5,
        (
            """CREATE TABLE boxes (
                id TEXT PRIMARY KEY, key TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
                standing TEXT NOT NULL, at TEXT NOT NULL, pin TEXT NOT NULL
            ) STRICT""",
        ),
    ),
)

NEWEST: Final = MIGRATIONS[-1][0]
