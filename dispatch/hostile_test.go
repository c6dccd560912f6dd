package dispatch_test

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"bookhook/dispatch"
	"bookhook/messages"
	"bookhook/webhook"
)

// Bounds of what one attempt may take of us, whatever the receiver does.
const (
	patience  = 300 * time.Millisecond // the timeout of an attempt in these tests
	tolerance = 5 * time.Second        // for a machine that does other things
	mostBytes = 8 << 20                // allocated in all, the receiver's own share included
)

const ok200 = "HTTP/1.1 200 OK\r\n"

// target makes attempts at receivers of the worst kind.
type target struct {
	*rig
	hook *webhook.Webhook
}

func newTarget(t *testing.T, o dispatch.Options) *target {
	t.Helper()
	o.Timeout = cmp.Or(o.Timeout, patience)
	return &target{rig: start(t, o), hook: &webhook.Webhook{Secret: webhook.NewSecret(), Config: webhook.Config{Kind: webhook.Async, Format: webhook.Standard}}}
}

// try makes an attempt and looks at what it took.
func (r *target) try(url string) webhook.Attempt {
	r.Helper()
	before := r.memory()
	r.hook.URL = url
	done := make(chan webhook.Attempt, 1)
	go func() { done <- r.TestUnsaved(r.Context(), r.hook, r.account, events(1)[0]) }()
	a := receive(r, done)
	if a.Duration > patience+tolerance {
		r.Errorf("it took %s, want at most %s", a.Duration, patience)
	}
	if got := r.memory() - before; got > mostBytes {
		r.Errorf("it took %d bytes of memory, want at most %d", got, mostBytes)
	}
	if len(a.ResponseBody) > webhook.MaxStoredBody || len(messages.Text(a.Error)) > 1000 {
		r.Errorf("kept %d bytes of the body and %d of the words", len(a.ResponseBody), len(messages.Text(a.Error)))
	}
	return a
}

// memory is what was allocated until now.
func (r *target) memory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.TotalAlloc)
}

// The ways of a receiver that does what it likes, one after the other.

func say(text string, then ...func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		for _, next := range then {
			next(c)
		}
	}
}

func shut(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

func reset(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

func endless(piece string) func(net.Conn) {
	piece = strings.Repeat(piece, 1+4096/len(piece))
	return func(c net.Conn) {
		for {
			if _, err := io.WriteString(c, piece); err != nil {
				return
			}
		}
	}
}

// slow says one byte after the other, with so much time between them that the
// whole takes hours.
func slow(text string) func(net.Conn) {
	return func(c net.Conn) {
		for _, b := range []byte(text) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(patience / 10) // what is tested is that nobody waits for it
		}
	}
}

type hostileCase struct {
	name    string
	serve   func(net.Conn)
	status  int
	failure webhook.Failure
	words   string
}

func (r *target) all(t *testing.T, scheme string, cases []hostileCase) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			a := r.try(scheme + "://" + raw(t, tt.serve))
			check(t, a, tt.failure, tt.words)
			if a.Status != tt.status {
				t.Errorf("got status %d, want %d", a.Status, tt.status)
			}
		})
	}
}

func TestBrokenConnections(t *testing.T) {
	const network = webhook.FailNetwork
	newTarget(t, dispatch.Options{}).all(t, "http", []hostileCase{
		{"closed after the request", shut, 0, network, "without an answer. Check the log of the server"},
		{"reset after the request", reset, 0, network, "without an answer. Check the log of the server"},
		{"closed in the status", say("HTT", shut), 0, network, "cannot be read as an HTTP answer"},
		{"reset in the status", say("HTTP/1.1 2", reset), 0, network, ""},
		{"closed in the headers", say(ok200+"X-A: 1\r\n", shut), 0, network, "in the middle of the headers"},
		{"reset in the headers", say(ok200+"X-A: 1\r\n", reset), 0, network, "closed the connection"},
		{"closed in the body", say(ok200+"Content-Length: 10\r\n\r\nabc", shut), 200, "", "closed the connection before the body of its answer was complete. It counts as delivered"},
		{"closed in a chunk", say(ok200+"Transfer-Encoding: chunked\r\n\r\n5\r\nab", shut), 200, "", "before the body of its answer was complete"},
		{"closed before the last chunk", say(ok200+"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", shut), 200, "", "before the body of its answer was complete"},
		{"reset in the body", say(ok200+"Content-Length: 10\r\n\r\nabc", reset), 200, "", "before the body of its answer was complete"},
		{"closed in a failure", say("HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\nabc", shut), 503, webhook.FailStatus, "answered 503"},
	})
	t.Run("closed before the request", func(t *testing.T) {
		r, address := newTarget(t, dispatch.Options{}), rude(t)
		for range 3 {
			check(t, r.try("http://"+address), network, "closed the connection")
			a := r.try("https://" + address) // the connection itself may be what fails
			if a.Failure != webhook.FailTLS && a.Failure != network || !strings.Contains(messages.Text(a.Error), "closed the connection") {
				t.Errorf("got %q, %q, want the connection ended", a.Failure, a.Error)
			}
		}
	})
}

// rude is a server that hangs up before it has heard anything.
func rude(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			reset(conn)
		}
	}()
	return l.Addr().String()
}

func TestSlowAnswers(t *testing.T) {
	const late, words = webhook.FailTimeout, "no complete answer within 300ms. Answer at once"
	const remark = "the body of its answer was not complete within 300ms. It counts as delivered"
	newTarget(t, dispatch.Options{}).all(t, "http", []hostileCase{
		{"no answer", func(net.Conn) {}, 0, late, words},
		{"slow status", slow(ok200 + "\r\n"), 0, late, words},
		{"slow headers", say(ok200, slow(strings.Repeat("X-A: 1\r\n", 1000))), 0, late, words},
		{"no end of the headers", say(ok200 + "X-A: 1\r\n"), 0, late, words},
		{"only 100", say("HTTP/1.1 100 Continue\r\n\r\n"), 0, late, words},
		{"slow body", say(ok200+"Content-Length: 1000\r\n\r\n", slow(strings.Repeat("x", 1000))), 200, "", remark},
		{"slow chunks", say(ok200+"Transfer-Encoding: chunked\r\n\r\n", slow(strings.Repeat("1\r\nx\r\n", 1000))), 200, "", remark},
		{"slow trailers", say(ok200+"Transfer-Encoding: chunked\r\n\r\n0\r\n", slow(strings.Repeat("X-A: 1\r\n", 1000))), 200, "", remark},
		{"slow body without length", say("HTTP/1.0 200 OK\r\n\r\n", slow(strings.Repeat("x", 1000))), 200, "", remark},
		{"longer than it is", say(ok200 + "Content-Length: 10\r\n\r\nabc"), 200, "", remark},
		// What is kept is there; the rest is read for the connection's sake only.
		{"slow beyond what is kept", say(ok200+"\r\n"+strings.Repeat("x", webhook.MaxStoredBody+1), slow(strings.Repeat("x", 1000))), 200, "", ""},
	})
}

func TestEndlessAnswers(t *testing.T) {
	const network, large = webhook.FailNetwork, "exceeded 65536 bytes"
	chunked := ok200 + "Transfer-Encoding: chunked\r\n\r\n"
	newTarget(t, dispatch.Options{}).all(t, "http", []hostileCase{
		{"status", endless("HTTP/1.1 200 OK"), 0, network, large},
		{"headers", say(ok200, endless("X-A: 1\r\n")), 0, network, large},
		{"one header", say(ok200+"X-A: ", endless("a")), 0, network, large},
		{"one folded header", say(ok200+"X-A: ", endless("a\r\n ")), 0, network, large},
		{"100", endless("HTTP/1.1 100 Continue\r\n\r\n"), 0, network, large},
		{"103", endless("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), 0, network, large},
		{"102 and others", endless("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 199 What\r\n\r\n"), 0, network, large},
		{"body", say(ok200+"\r\n", endless("x")), 200, "", ""},
		{"body of a length", say(ok200+"Content-Length: 9223372036854775807\r\n\r\n", endless("x")), 200, "", ""},
		{"body of a failure", say("HTTP/1.1 500 No\r\n\r\n", endless("x")), 500, webhook.FailStatus, "500"},
		{"chunks", say(chunked, endless("1\r\nx\r\n")), 200, "", ""},
		{"chunks of extensions", say(chunked, endless("1;"+strings.Repeat("x", 1000)+"\r\nx\r\n")), 200, "", "the body of its answer cannot be read"},
		{"large chunks", say(chunked, endless("400\r\n"+strings.Repeat("x", 1024)+"\r\n")), 200, "", ""},
		{"length of a chunk", say(chunked, endless("0")), 200, "", "the body of its answer cannot be read"},
		{"extension of a chunk", say(chunked+"1;", endless("x")), 200, "", "the body of its answer cannot be read"},
		{"trailers", say(chunked+"0\r\n", endless("X-A: 1\r\n")), 200, "", "the body of its answer cannot be read"},
		{"one trailer", say(chunked+"0\r\nX-A: ", endless("a")), 200, "", "the body of its answer cannot be read"},
	})
}

func TestMalformedAnswers(t *testing.T) {
	const network, unread, body = webhook.FailNetwork, "cannot be read as an HTTP answer", "the body of its answer cannot be read"
	chunked := ok200 + "Transfer-Encoding: chunked\r\n\r\n"
	newTarget(t, dispatch.Options{}).all(t, "http", []hostileCase{
		{"SSH", say("SSH-2.0-OpenSSH_9.2\r\n"), 0, network, unread},
		{"SMTP", say("220 mail.example.com ESMTP\r\n"), 0, network, unread + ` (malformed HTTP status code "mail.example.com"). Check the port`},
		{"TLS", say("\x15\x03\x01\x00\x02\x02\x46", shut), 0, network, "expects TLS on this port. The URL must begin with https://"},
		{"HTTP/0.9", say("<html>hello</html>", shut), 0, network, unread},
		{"HTTP/2 preface", say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 0, network, unread},
		{"bytes", say("\x00\xff\x1b[2J\u202e\r\n"), 0, network, unread},
		{"status 000", say("HTTP/1.1 000 No\r\nContent-Length: 0\r\n\r\n"), 0, network, unread + ` (malformed HTTP status code "000 No")`},
		{"status +12", say("HTTP/1.1 +12 No\r\nContent-Length: 0\r\n\r\n"), 0, network, unread},
		{"status abc", say("HTTP/1.1 abc No\r\n\r\n"), 0, network, unread},
		{"status 20", say("HTTP/1.1 20 No\r\n\r\n"), 0, network, unread},
		{"status 2000", say("HTTP/1.1 2000 No\r\n\r\n"), 0, network, unread},
		{"status -20", say("HTTP/1.1 -20 No\r\n\r\n"), 0, network, unread},
		{"status 999", say("HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n"), 999, webhook.FailStatus, "answered 999"},
		{"header without colon", say(ok200 + "nonsense\x1b[31m\r\n\r\n"), 0, network, unread},
		{"NUL in a header", say(ok200 + "X-A: a\x00b\r\n\r\n"), 0, network, unread},
		{"two lengths", say(ok200 + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), 0, network, unread},
		{"negative length", say(ok200 + "Content-Length: -1\r\n\r\nab"), 0, network, unread},
		{"absurd length", say(ok200 + "Content-Length: 99999999999999999999\r\n\r\nab"), 0, network, unread},
		{"unknown encoding", say(ok200 + "Transfer-Encoding: gzip\r\n\r\n"), 0, network, unread},
		{"no chunk", say(chunked + "zz\r\nab"), 200, "", body},
		{"negative chunk", say(chunked + "-1\r\nab"), 200, "", body},
		{"absurd chunk", say(chunked + "ffffffffffffffffff\r\nab"), 200, "", body},
		{"longer than the chunk", say(chunked + "1\r\nabc\r\n0\r\n\r\n"), 200, "", body},
	})
}

// Odd, and yet an answer.
func TestOddAnswers(t *testing.T) {
	newTarget(t, dispatch.Options{}).all(t, "http", []hostileCase{
		{"HTTP/1.0 without length", say("HTTP/1.0 200 OK\r\n\r\nfine", shut), 200, "", ""},
		{"HTTP/1.0 with a length", say("HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine"), 200, "", ""},
		{"HTTP/1.0, kept", say("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nfine"), 200, "", ""},
		{"HTTP/1.0 failure", say("HTTP/1.0 500 No\r\n\r\n", shut), 500, webhook.FailStatus, "500 Internal Server Error"},
		{"HTTP/1.1 without length", say(ok200+"\r\nfine", shut), 200, "", ""},
		{"no reason", say("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"), 200, "", ""},
		{"bare newlines", say("HTTP/1.1 200 OK\nContent-Length: 0\n\n"), 200, "", ""},
		{"interim answers before it", say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + ok200 + "Content-Length: 0\r\n\r\n"), 200, "", ""},
		{"space in the name of a header", say(ok200 + "X A: b\r\nContent-Length: 0\r\n\r\n"), 200, "", ""},
		{"the same length twice", say(ok200 + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"), 200, "", ""},
		{"a trailer", say(ok200 + "Transfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n1\r\na\r\n0\r\nX-A: 1\r\n\r\n"), 200, "", ""},
		{"204 with a body", say("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"), 204, "", ""},
		{"more than its length", say(ok200 + "Content-Length: 2\r\n\r\nhello"), 200, "", ""},
		{"101", say("HTTP/1.1 101 Switching Protocols\r\n\r\n"), 101, webhook.FailStatus, "must accept plain HTTP requests"},
		{"101, really", say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), 101, webhook.FailStatus, "another protocol"},
		{"101, endless", say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", endless("x")), 101, webhook.FailStatus, "another protocol"},
	})
}

// A bomb is never opened: what is kept are the bytes as they came, cut.
func TestGzipBomb(t *testing.T) {
	var bomb bytes.Buffer
	w, _ := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	for block := make([]byte, 1<<20); bomb.Len() < 100<<10; {
		_, _ = w.Write(block)
	}
	w.Close()
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "" {
			t.Errorf("got accept-encoding %q, want none", got)
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	a := newTarget(t, dispatch.Options{}).try(server.URL)
	check(t, a, "")
	if !a.Truncated || !bytes.Equal(a.ResponseBody, bomb.Bytes()[:webhook.MaxStoredBody]) {
		t.Errorf("kept %d bytes, cut %t, want the first %d as they came", len(a.ResponseBody), a.Truncated, webhook.MaxStoredBody)
	}
}

// An answer that comes before the request was read is taken, and the
// connection, on which the rest of the request is due, is not.
func TestAnswerBeforeTheRequest(t *testing.T) {
	var connections atomic.Int32
	address := raw(t, func(c net.Conn) {
		connections.Add(1)
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
	})
	r := newTarget(t, dispatch.Options{Timeout: 10 * patience}) // signing takes a while, too
	r.hook.URL = "http://" + address
	e := events(1)[0]
	e.Data = []byte(`"` + strings.Repeat("x", 8<<20) + `"`) // more than the buffers of a connection hold
	for n := range int32(2) {
		done := make(chan webhook.Attempt, 1)
		go func() { done <- r.TestUnsaved(t.Context(), r.hook, r.account, e) }()
		check(t, receive(t, done), webhook.FailStatus, "413")
		if got := connections.Load(); got != n+1 {
			t.Errorf("got %d connections after %d attempts", got, n+1)
		}
	}
}

// After any answer that is not sound the next attempt has its own connection.
func TestBadConnectionIsNotUsedAgain(t *testing.T) {
	const good = ok200 + "Content-Length: 0\r\n\r\n"
	chunked := ok200 + "Transfer-Encoding: chunked\r\n\r\n"
	for name, bad := range map[string]string{
		"malformed chunk": chunked + "zz\r\n" + good, "long chunk": chunked + "1\r\nabc" + good, "trailer": chunked + "0\r\nX\r\n\r\n" + good,
		"too long": ok200 + "Content-Length: 1\r\n\r\n" + strings.Repeat("x", 400<<10) + good, "101": "HTTP/1.1 101 No\r\n\r\n" + good,
		"status": "HTTP/1.1 000 No\r\nContent-Length: 0\r\n\r\n" + good, "late": ok200 + "Content-Length: 1\r\n\r\n",
		"endless": ok200 + "Content-Length: 1000000\r\n\r\n" + strings.Repeat("x", 900_000), "header": ok200 + "X\r\n\r\n" + good,
	} {
		t.Run(name, func(t *testing.T) {
			var connections atomic.Int32
			address := raw(t, func(c net.Conn) {
				if connections.Add(1) == 1 {
					_, _ = io.WriteString(c, bad)
					return
				}
				_, _ = io.WriteString(c, good)
			})
			r := newTarget(t, dispatch.Options{})
			r.try("http://" + address)
			check(t, r.try("http://"+address), "")
			if got := connections.Load(); got != 2 {
				t.Errorf("got %d connections, want 2", got)
			}
		})
	}
}

// FuzzResponse wants that whatever a receiver answers, the attempt ends in time, says
// why it failed, and keeps what can be stored and no more.
func FuzzResponse(f *testing.F) {
	for _, text := range []string{
		"", ok200 + "\r\n", ok200 + "Content-Length: 5\r\n\r\nab", ok200 + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX: y\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n" + ok200 + "\r\n",
		"HTTP/1.1 301 M\r\nLocation: //\r\n\r\n", "HTTP/1.1 429\r\nRetry-After: -1\r\n\r\n", "HTTP/1.0 999 \xff\r\nA:\xff\r\n\r\n\x00", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n",
		ok200 + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b", ok200 + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "SSH-2.0-x\r\n", ok200 + "Bookhook-Loop: 1\r\n\r\n",
	} {
		f.Add([]byte(text), false)
		f.Add([]byte(text), true)
	}
	r := start(f, dispatch.Options{Timeout: patience})
	answer := make(chan []byte, 1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			request, err := http.ReadRequest(bufio.NewReader(conn))
			if err == nil {
				_, _ = io.Copy(io.Discard, request.Body) // or the answer could be lost with it
				_, _ = conn.Write(<-answer)
			}
			conn.Close()
		}
	}()
	f.Fuzz(func(t *testing.T, response []byte, inline bool) {
		hook := &webhook.Webhook{Secret: webhook.NewSecret(), Config: webhook.Config{URL: "http://" + listener.Addr().String(), Kind: webhook.Async, Format: webhook.Standard}}
		if inline {
			hook.Kind, hook.Format = webhook.Inline, webhook.Native
		}
		answer <- response
		a := r.TestUnsaved(t.Context(), hook, r.account, events(1)[0])
		if a.Duration > patience+tolerance || len(a.ResponseBody) > webhook.MaxStoredBody {
			t.Errorf("it took %s and kept %d bytes", a.Duration, len(a.ResponseBody))
		}
		if text := messages.Text(a.Error); a.Failure != "" && text == "" || len(text) > 1000 || !utf8.ValidString(text) {
			t.Errorf("failed for %q: %q", a.Failure, text)
		}
		if a.Failure == "" && (a.Status < 200 || a.Status > 299) {
			t.Errorf("%d is a success", a.Status)
		}
		if answered := webhook.AnswerOf(a); answered.Accepted != (a.Failure == "") || answered.Tickets != nil && !json.Valid(answered.Tickets) {
			t.Errorf("got the answer %+v", answered)
		}
	})
}
