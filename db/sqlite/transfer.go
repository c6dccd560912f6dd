package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bookhook/db/transfer"
)

// Source is a database of which everything is copied. It stays as it is until it is closed.
type Source struct {
	reader
	pool *sql.DB
}

// OpenSource opens the database at path for a copy. If it is exclusive, others can write
// nothing until it is closed. Texts, but not those of keys, are read as clean returns them.
func OpenSource(ctx context.Context, path string, exclusive bool, clean func(string) string) (_ *Source, err error) {
	pool, err := openExisting(ctx, path)
	if err != nil {
		return nil, err
	}
	s := &Source{reader{clean: clean}, pool}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("database %s: %w", path, err), s.Close())
		}
	}()
	outdated, err := checkNotNewer(ctx, pool)
	if err != nil {
		return nil, err
	}
	if outdated {
		return nil, errors.New("its schema is that of an older Bookhook; run \"bookhook account list\" with it, which upgrades it and sends nothing")
	}
	if s.conn, err = pool.Conn(ctx); err != nil {
		return nil, err
	}
	begin := `BEGIN`
	if exclusive {
		begin = `BEGIN IMMEDIATE`
	}
	_, err = s.conn.ExecContext(ctx, begin)
	return s, err
}

// Close ends the copy.
func (s *Source) Close() error {
	if s.conn == nil {
		return s.pool.Close()
	}
	_, err := s.conn.ExecContext(context.Background(), `ROLLBACK`)
	return errors.Join(err, s.conn.Close(), s.pool.Close())
}

// reader reads tables on one connection.
type reader struct {
	conn     *sql.Conn
	clean    func(string) string // nil: texts are read as they are
	replaced int64               // texts that clean changed
}

// Replaced returns how many texts were read otherwise than they are.
func (r *reader) Replaced() int64 { return r.replaced }

// Tables returns the tables that are copied.
func (r *reader) Tables(ctx context.Context) ([]transfer.Table, error) {
	tables := make([]transfer.Table, len(transfer.Copied))
	for i, name := range transfer.Copied {
		t, err := r.describe(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("read the columns of %s: %w", name, err)
		}
		tables[i] = t
	}
	return tables, nil
}

var kinds = map[string]transfer.Kind{"INTEGER": transfer.Integer, "TEXT": transfer.Text, "BLOB": transfer.Blob}

func (r *reader) describe(ctx context.Context, name string) (t transfer.Table, err error) {
	t.Name = name
	rows, err := r.conn.QueryContext(ctx, `SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid`, name)
	if err != nil {
		return t, err
	}
	defer rows.Close()
	places := map[string]int{}
	for rows.Next() {
		var column, kind string
		var place int
		if err := rows.Scan(&column, &kind, &place); err != nil {
			return t, err
		}
		t.Columns = append(t.Columns, transfer.Column{Name: column, Kind: kinds[kind]})
		if place > 0 {
			t.Key, places[column] = append(t.Key, column), place
		}
	}
	slices.SortFunc(t.Key, func(a, b string) int { return places[a] - places[b] })
	return t, rows.Err()
}

// Read implements transfer.Reader. It calls the driver itself, as session does.
func (r *reader) Read(ctx context.Context, t transfer.Table, row func([]byte) error) error {
	return r.conn.Raw(func(conn any) error {
		rows, err := conn.(driver.QueryerContext).QueryContext(ctx, t.Select(), nil)
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // it only read
		values := make([]driver.Value, len(t.Columns))
		var buffer []byte
		for ctx.Err() == nil {
			if err := rows.Next(values); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			if buffer, err = r.encode(buffer[:0], t, values); err != nil {
				return err
			}
			if err := row(buffer); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}

func (r *reader) encode(row []byte, t transfer.Table, values []driver.Value) ([]byte, error) {
	row = transfer.BeginRow(row, len(values))
	for i, value := range values {
		switch v := value.(type) {
		case nil:
			row = transfer.AppendNull(row)
		case int64:
			row = transfer.AppendInteger(row, v)
		case []byte:
			row = transfer.AppendBytes(row, v)
		case string:
			text := v
			if r.clean != nil {
				text = r.clean(v)
			}
			if text != v {
				if slices.Contains(t.Key, t.Columns[i].Name) {
					return nil, fmt.Errorf("the %s %q has characters that cannot be stored there (NUL, or bytes that are no UTF-8)", t.Columns[i].Name, v)
				}
				r.replaced++
			}
			row = transfer.AppendBytes(row, text)
		default:
			return nil, fmt.Errorf("the column %s has a %T", t.Columns[i].Name, value)
		}
	}
	return row, nil
}

// Target is a new database into which another one is copied.
type Target struct {
	reader
	path    string
	pool    *sql.DB
	inserts map[string]execStmt // by table
}

// OpenTarget creates a database at path into which the one called from is copied, or opens
// the one into which that was interrupted. Nobody else can use it before Finish.
func OpenTarget(ctx context.Context, path, from string) (_ *Target, err error) {
	if err := mayCopyInto(ctx, path, from); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("create database %s: %w", path, err)
	}
	// Without a write-ahead log: what is added at the end of a file is then written once.
	pool, err := open(ctx, path, 1, url.Values{"_synchronous": {"FULL"}, "_txlock": {"immediate"}, "_pragma": {"cache_size(-65536)", "temp_store(memory)"}})
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	t := &Target{path: path, pool: pool, inserts: map[string]execStmt{}}
	if err := t.begin(ctx, from); err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", path, err), t.Close())
	}
	return t, nil
}

// mayCopyInto refuses a database that has something else than a part of the same copy.
func mayCopyInto(ctx context.Context, path, from string) error {
	if mustExist(path) != nil {
		return nil // opening it finds what else is wrong
	}
	err := checkVersion(ctx, path)
	if begun, ok := errors.AsType[transfer.Incomplete](err); ok {
		if err := begun.Continue(from); err != nil {
			return fmt.Errorf("database %s: %w", path, err)
		}
		return nil
	}
	return exists(path)
}

// begin creates the tables, those of Marks first.
func (t *Target) begin(ctx context.Context, from string) (err error) {
	var begun bool
	if err := t.pool.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = $1)`, transfer.Marks).Scan(&begun); err != nil {
		return err
	}
	if !begun {
		if err := t.createMarks(ctx, from); err != nil {
			return err
		}
	}
	if err := migrate(ctx, t.pool, t.path); err != nil {
		return err
	}
	t.conn, err = t.pool.Conn(ctx)
	return err
}

func (t *Target) createMarks(ctx context.Context, from string) error {
	tx, err := t.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, transfer.CreateMarks); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, transfer.PutMark, transfer.From, from); err != nil {
		return err
	}
	return tx.Commit()
}

// Mark implements transfer.Target.
func (t *Target) Mark(ctx context.Context, table transfer.Table) (transfer.Mark, error) {
	var mark string
	err := t.conn.QueryRowContext(ctx, transfer.ReadMark, table.Name).Scan(&mark)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return transfer.Mark{}, err
	}
	return transfer.ParseMark(mark)
}

// Add implements transfer.Target.
func (t *Target) Add(ctx context.Context, table transfer.Table, rows []byte, m transfer.Mark) (err error) {
	if _, err := t.conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, _ = t.conn.ExecContext(context.Background(), `ROLLBACK`) // fails when SQLite did it already
		}
	}()
	if err := t.insert(ctx, table, rows); err != nil {
		return err
	}
	if _, err := t.conn.ExecContext(ctx, transfer.PutMark, table.Name, m.String()); err != nil {
		return err
	}
	_, err = t.conn.ExecContext(ctx, `COMMIT`)
	return err
}

func (t *Target) insert(ctx context.Context, table transfer.Table, rows []byte) error {
	return t.conn.Raw(func(conn any) error {
		stmt, err := t.prepare(conn, table)
		if err != nil {
			return err
		}
		values := make([]driver.NamedValue, len(table.Columns))
		for row, rest := transfer.CutRow(rows); row != nil && ctx.Err() == nil; row, rest = transfer.CutRow(rest) {
			err := transfer.Values(row, func(i int, v []byte) (err error) {
				values[i].Ordinal = i + 1
				values[i].Value, err = decode(table.Columns[i].Kind, v)
				return err
			})
			if err != nil {
				return err
			}
			if _, err := stmt.ExecContext(ctx, values); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}

func (t *Target) prepare(conn any, table transfer.Table) (execStmt, error) {
	if stmt, ok := t.inserts[table.Name]; ok {
		return stmt, nil
	}
	places := make([]string, len(table.Columns))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	stmt, err := conn.(driver.Conn).Prepare(`INSERT INTO ` + table.Name + ` (` + table.Names() + `) VALUES (` + strings.Join(places, ", ") + `)`)
	if err != nil {
		return nil, err
	}
	t.inserts[table.Name] = stmt.(execStmt)
	return t.inserts[table.Name], nil
}

// decode returns a value as the driver takes it.
func decode(kind transfer.Kind, v []byte) (driver.Value, error) {
	switch {
	case v == nil:
		return nil, nil
	case kind == transfer.Integer:
		return transfer.ReadInteger(v)
	case kind == transfer.Text:
		return string(v), nil
	}
	return v, nil
}

// Finish makes the copy a database as any other. It is on disk when Finish returns.
func (t *Target) Finish(ctx context.Context) error {
	if _, err := t.conn.ExecContext(ctx, transfer.DropMarks); err != nil {
		return err
	}
	return errors.Join(syncPath(t.path), syncPath(filepath.Dir(t.path)))
}

// Close closes the copy, finished or not.
func (t *Target) Close() (err error) {
	for _, stmt := range t.inserts {
		err = errors.Join(err, stmt.Close())
	}
	if t.conn != nil {
		err = errors.Join(err, t.conn.Close())
	}
	return errors.Join(err, t.pool.Close())
}

// WriteBackup makes a new file of what write puts into one of another name, as Backup does.
func WriteBackup(ctx context.Context, to string, write func(part string) error) (err error) {
	if _, err := os.Stat(to); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, exists(to))
	}
	part := to + ".part"
	if err := removeAll(part); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeAll(part)) }()
	if err := write(part); err != nil {
		return err
	}
	if err := checkCopy(ctx, part); err != nil {
		return err
	}
	return publish(part, to)
}
