-- A script for each version of the schema, which runs in a transaction with the version's number: append, never edit.
CREATE TABLE person (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('customer', 'agent', 'admin')),
    password_hash TEXT
) STRICT;
CREATE TABLE team (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE ticket (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number TEXT NOT NULL UNIQUE,
    requester_id INTEGER NOT NULL REFERENCES person,
    subject TEXT NOT NULL,
    description TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('open', 'in_progress', 'escalated', 'waiting', 'resolved', 'closed', 'spam')),
    priority TEXT CHECK (priority IN ('urgent', 'high', 'normal', 'low')),
    category TEXT,
    urgency TEXT,
    sentiment TEXT,
    urgency_rank INTEGER NOT NULL AS (
        CASE urgency WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 WHEN 'low' THEN 1 ELSE 0 END
    ),
    escalated INTEGER NOT NULL DEFAULT 0 CHECK (escalated IN (0, 1)),
    group_id INTEGER REFERENCES team,
    assignee_id INTEGER REFERENCES person,
    language TEXT NOT NULL,
    form_language TEXT NOT NULL,
    channel TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    first_reply_at TEXT,
    resolved_at TEXT,
    closed_at TEXT,
    version INTEGER NOT NULL,
    last_event INTEGER NOT NULL
) STRICT;
CREATE INDEX ticket_by_change ON ticket (last_event);
CREATE INDEX ticket_by_update ON ticket
    (updated_at, id, status, category, urgency, sentiment, escalated, created_at);
CREATE INDEX ticket_by_creation ON ticket (created_at, id, status, category, urgency, sentiment, escalated);
CREATE INDEX ticket_by_urgency ON ticket
    (urgency_rank, updated_at, id, status, category, urgency, sentiment, escalated, created_at);
CREATE INDEX ticket_by_labels ON ticket (status, category, urgency, sentiment, escalated, created_at);
CREATE INDEX ticket_by_requester ON ticket (requester_id, created_at);
CREATE TABLE access (secret_hash BLOB PRIMARY KEY, ticket_id INTEGER NOT NULL REFERENCES ticket) STRICT;
CREATE INDEX access_by_ticket ON access (ticket_id);
CREATE TABLE tag (
    ticket_id INTEGER NOT NULL REFERENCES ticket,
    name TEXT NOT NULL,
    UNIQUE (ticket_id, name)
) STRICT;
CREATE INDEX tag_by_name ON tag (name);
CREATE TABLE field (
    ticket_id INTEGER NOT NULL REFERENCES ticket,
    field_id INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (ticket_id, field_id)
) STRICT;
CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket_id INTEGER NOT NULL REFERENCES ticket,
    author_kind TEXT NOT NULL CHECK (author_kind IN ('customer', 'agent', 'ai', 'system')),
    author_id INTEGER REFERENCES person,
    public INTEGER NOT NULL CHECK (public IN (0, 1)),
    body TEXT NOT NULL,
    created_at TEXT NOT NULL,
    key TEXT NOT NULL,
    intent TEXT NOT NULL
) STRICT;
CREATE INDEX message_by_ticket ON message (ticket_id, id);
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket_id INTEGER NOT NULL REFERENCES ticket,
    version INTEGER NOT NULL,
    at TEXT NOT NULL,
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('customer', 'agent', 'ai', 'system')),
    actor_id INTEGER,
    field TEXT NOT NULL,
    old TEXT,
    new TEXT,
    reason TEXT NOT NULL,
    key TEXT NOT NULL,
    intent TEXT NOT NULL
) STRICT;
CREATE INDEX event_by_ticket ON event (ticket_id, id);
CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
CREATE TRIGGER event_is_kept BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
CREATE TABLE attachment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket_id INTEGER NOT NULL REFERENCES ticket,
    message_id INTEGER REFERENCES message,
    name TEXT NOT NULL,
    mime TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL
) STRICT;
CREATE INDEX attachment_by_ticket ON attachment (ticket_id, id);
CREATE TABLE rating (
    ticket_id INTEGER PRIMARY KEY REFERENCES ticket,
    stars INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5),
    comment TEXT NOT NULL CHECK (length(comment) <= 1000),
    at TEXT NOT NULL,
    changed_at TEXT
) STRICT;
CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2');
CREATE TABLE session (
    token_hash BLOB PRIMARY KEY,
    person_id INTEGER NOT NULL REFERENCES person,
    expires REAL NOT NULL
) STRICT;
-- The next version
CREATE TABLE form (
    name_hash BLOB PRIMARY KEY,
    ticket_id INTEGER NOT NULL REFERENCES ticket,
    message_id INTEGER REFERENCES message
) STRICT;
CREATE INDEX form_by_ticket ON form (ticket_id);
-- The next version
CREATE TABLE erasure (
    person_id INTEGER PRIMARY KEY REFERENCES person,
    address TEXT NOT NULL,
    found TEXT NOT NULL
) STRICT;
-- The next version
CREATE TABLE token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id INTEGER NOT NULL REFERENCES person,
    name TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'write')),
    secret_hash BLOB NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE answer (
    token_id INTEGER NOT NULL REFERENCES token ON DELETE CASCADE,
    key_hash BLOB NOT NULL,
    digest BLOB NOT NULL,
    said TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (token_id, key_hash)
) STRICT;
CREATE INDEX answer_by_time ON answer (at);
CREATE TRIGGER token_of_team AFTER UPDATE OF role ON person WHEN NEW.role = 'customer'
    BEGIN DELETE FROM token WHERE person_id = NEW.id; END;
-- The next version
CREATE TABLE browsing (
    browser BLOB NOT NULL,
    what TEXT NOT NULL CHECK (what IN ('shown', 'opened', 'sent')),
    article TEXT NOT NULL,
    hour INTEGER NOT NULL,
    PRIMARY KEY (browser, what, article, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX browsing_by_hour ON browsing (hour);
