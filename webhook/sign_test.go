package webhook_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

// The test vector that the Standard Webhooks specification publishes.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" //nolint:gosec // published
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTime      = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func TestSign(t *testing.T) {
	const other = "whsec_b3RoZXIga2V5IGZvciByb3RhdGlvbg=="
	otherKey := []byte("other key for rotation")
	otherSignature := "v1," + signature(otherKey, vectorID, vectorTime, []byte(vectorBody))
	tests := []struct {
		name    string
		secrets []string
		at      time.Time
		want    string
	}{
		{"published vector", []string{vectorSecret}, time.Unix(vectorTime, 0), vectorSignature},
		{"parts of a second do not count", []string{vectorSecret}, time.Unix(vectorTime, 999_999_999), vectorSignature},
		{"nor does the time zone", []string{vectorSecret}, time.Unix(vectorTime, 0).In(time.FixedZone("", 3600)), vectorSignature},
		{"without the prefix", []string{strings.TrimPrefix(vectorSecret, "whsec_")}, time.Unix(vectorTime, 0), vectorSignature},
		{"two secrets", []string{other, vectorSecret}, time.Unix(vectorTime, 0), otherSignature + " " + vectorSignature},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := webhook.Sign(tt.secrets, vectorID, tt.at, []byte(vectorBody))
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestSignRefusesBadSecret(t *testing.T) {
	for _, bad := range []string{"", "whsec_", "whsec_\n", "whsec_not base64!", "whsec_YWJ", "whsec_YWJj-_", "whsec_whsec_YWJj"} {
		for _, secrets := range [][]string{{bad}, {vectorSecret, bad}} {
			got, err := webhook.Sign(secrets, vectorID, time.Unix(vectorTime, 0), nil)
			if err == nil || got != "" {
				t.Errorf("%q: got %q, %v, want an error and no signature", secrets, got, err)
			} else if strings.Contains(err.Error(), vectorSecret[6:]) || len(bad) > 8 && strings.Contains(err.Error(), bad[6:]) {
				t.Errorf("%q: the error tells the secret: %v", secrets, err)
			}
		}
	}
}

func TestNewSecret(t *testing.T) {
	first, second := webhook.NewSecret(), webhook.NewSecret()
	if first == second {
		t.Errorf("got %s twice, want two secrets", first)
	}
	encoded, ok := strings.CutPrefix(first, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) != 32 {
		t.Errorf("got %s (%d bytes, %v), want whsec_ and 32 bytes", first, len(key), err)
	}
	if got, err := webhook.Sign([]string{first}, "dlv_1", time.Unix(1, 0), nil); err != nil || !verify(got, key, "dlv_1", 1, nil) {
		t.Errorf("got %q, %v, want a signature that verifies", got, err)
	}
}

// signature is the HMAC as the specification words it, apart from our code.
func signature(key []byte, id string, unix int64, body []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", id, unix, body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// verify does what a receiver does with the header.
func verify(header string, key []byte, id string, unix int64, body []byte) bool {
	want := signature(key, id, unix, body)
	for one := range strings.SplitSeq(header, " ") {
		if got, ok := strings.CutPrefix(one, "v1,"); ok && hmac.Equal([]byte(got), []byte(want)) {
			return true
		}
	}
	return false
}

func FuzzSign(f *testing.F) {
	f.Add([]byte("key"), []byte("another"), vectorID, int64(vectorTime), []byte(vectorBody))
	f.Add([]byte{0}, []byte{}, "dlv_0000000000002", int64(0), []byte(nil))
	f.Add([]byte{}, []byte{}, "", int64(-1), []byte("event=cancelled&account_id=4069"))
	f.Fuzz(func(t *testing.T, key, older []byte, id string, unix int64, body []byte) {
		if len(key) == 0 || len(older) == 0 {
			key, older = append(key, 1), append(older, 2)
		}
		secrets := []string{secret(key), secret(older)}
		given := bytes.Clone(body)
		header, err := webhook.Sign(secrets, id, time.Unix(unix, 0), body)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(body, given) {
			t.Errorf("signing changed the body from %q to %q", given, body)
		}
		for _, k := range [][]byte{key, older} {
			if !verify(header, k, id, unix, body) {
				t.Errorf("%q does not verify with key %x", header, k)
			}
			if verify(header, k, id, unix, append(given, 'x')) || verify(header, k, id, unix+1, body) {
				t.Errorf("%q verifies another message", header)
			}
			for i := range min(len(body), 64) {
				given[i] ^= 1 << (i % 8)
				if verify(header, k, id, unix, given) {
					t.Errorf("%q verifies with byte %d changed", header, i)
				}
				given[i] = body[i]
			}
			if verify(header, slices.Concat(key, older, []byte{1}), id, unix, body) || verify(header, k, id+"1", unix, body) {
				t.Errorf("%q verifies with another key or id", header)
			}
		}
	})
}

func secret(key []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(key) }

func BenchmarkSign(b *testing.B) {
	secrets, body, at := []string{webhook.NewSecret()}, bytes.Repeat([]byte("x"), 1<<10), time.Unix(vectorTime, 0)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := webhook.Sign(secrets, vectorID, at, body); err != nil {
			b.Fatal(err)
		}
	}
}
