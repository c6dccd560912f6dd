package dispatch_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"strings"
	"testing"
)

// node is an XML element.
type node struct {
	XMLName xml.Name
	Text    string `xml:",chardata"`
	Nodes   []node `xml:",any"`
}

// at are the elements at a path below n, in document order. It is as much of
// XPath as the paths in these tests need.
func (n node) at(path string) []node {
	first, rest, more := strings.Cut(path, "/")
	var found []node
	for _, child := range n.Nodes {
		switch {
		case child.XMLName.Local != first:
		case more:
			found = append(found, child.at(rest)...)
		default:
			found = append(found, child)
		}
	}
	return found
}

// verified says whether the signed block of a document fits the key, as the
// official PHP wrapper of TourCMS does it: every node that an expression of
// hash_fields matches, relative to the root, gives its own text; what is not
// there gives nothing.
func verified(t testing.TB, document []byte, key string) bool {
	t.Helper()
	var root node
	if err := xml.NewDecoder(bytes.NewReader(document)).Decode(&root); err != nil {
		t.Fatalf("%v in %s", err, document)
	}
	signed := root.at("signed")
	if len(signed) != 1 {
		t.Fatalf("got %d signed blocks in %s, want one", len(signed), document)
	}
	one := func(name string) string {
		nodes := signed[0].at(name)
		if len(nodes) != 1 {
			t.Fatalf("got %d of %s in %s", len(nodes), name, document)
		}
		return nodes[0].Text
	}
	if algorithm := one("algorithm"); !strings.EqualFold(algorithm, "SHA256") {
		t.Fatalf("got the algorithm %q", algorithm)
	}
	var values []string
	for _, path := range strings.Split(one("hash_fields"), " ") {
		for _, n := range root.at(path) {
			values = append(values, n.Text)
		}
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(strings.Join(values, "|")))
	return one("hash") == hex.EncodeToString(mac.Sum(nil))
}

// The check value is that of the wire reference, which was made by hand.
func TestVerified(t *testing.T) {
	t.Parallel()
	const booking = `<response><booking><booking_id>1234</booking_id><channel_id>3930</channel_id>` +
		`<account_id>4069</account_id><status>2</status></booking><signed><algorithm>SHA256</algorithm>` +
		`<hash_fields>booking/booking_id booking/channel_id booking/nothing booking/account_id booking/status</hash_fields>` +
		`<hash>3e045ca9e59467c73b773a4b8c520eb786ce73d768f6544f5750a8cb9a2da2a9</hash></signed></response>`
	if !verified(t, []byte(booking), "EXAMPLEKEY") {
		t.Error("the check value does not verify")
	}
	if verified(t, []byte(strings.Replace(booking, ">2<", ">1<", 1)), "EXAMPLEKEY") || verified(t, []byte(booking), "another key") {
		t.Error("what was changed verifies")
	}
}
