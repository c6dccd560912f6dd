package tourcms_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/xml"
	"hash"
	"strings"
	"testing"
	"time"

	"bookhook/platforms/tourcms"
	"bookhook/webhook"
)

// node is an element as the independent check reads it.
type node struct {
	XMLName xml.Name
	Text    string `xml:",chardata"`
	Nodes   []node `xml:",any"`
}

// simple evaluates a path of names.
func (n node) simple(path string) []node {
	found := []node{n}
	for name := range strings.SplitSeq(path, "/") {
		var next []node
		for _, f := range found {
			for _, c := range f.Nodes {
				if c.XMLName.Space == "" && c.XMLName.Local == name {
					next = append(next, c)
				}
			}
		}
		found = next
	}
	return found
}

// phpAccepts is the check of TourCMS's PHP wrapper, from its description: split
// hash_fields on one space, take the text of all that each path names, join with
// "|", compare the HMAC as lower-case hex with the text of hash.
func phpAccepts(t testing.TB, document []byte, key string) bool {
	t.Helper()
	var root node
	if err := xml.Unmarshal(document, &root); err != nil {
		t.Fatalf("%v in %s", err, document)
	}
	first := func(path string) string {
		found := root.simple(path)
		if len(found) == 0 {
			t.Fatalf("no %s in %s", path, document)
		}
		return found[0].Text
	}
	if !strings.EqualFold(first("signed/algorithm"), "SHA256") {
		t.Fatalf("got the algorithm %q", first("signed/algorithm"))
	}
	var values []string
	for field := range strings.SplitSeq(first("signed/hash_fields"), " ") {
		for _, found := range root.simple(field) {
			values = append(values, found.Text)
		}
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(strings.Join(values, "|")))
	return hex.EncodeToString(mac.Sum(nil)) == first("signed/hash")
}

const document = `<response a="root"><booking id="b" xml:lang="en"><booking_id>1234</booking_id><channel_id>3930</channel_id>` +
	`<account_id>4069</account_id><status>2</status><empty/><mixed>a<i>b</i>c<!-- x -->d</mixed>` +
	`<components><component id="c1"><product_id>12</product_id><note/></component>` +
	`<component id="c2"><product_id>15</product_id><component><product_id>16</product_id></component></component></components>` +
	`</booking><last>z</last>`

func signed(algorithm, fields, hash string) string {
	return document + "<signed><algorithm>" + algorithm + "</algorithm><hash_fields>" + fields + "</hash_fields><hash>" + hash + "</hash></signed></response>"
}

func sum(new func() hash.Hash, text string) string {
	mac := hmac.New(new, []byte("EXAMPLEKEY"))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func readSigned(body, key string) error {
	in := post(five, body)
	in.Settings = webhook.Settings{"api_key": key}
	_, err := tourcms.Read(in)
	return err
}

func TestSignatureOfTheReference(t *testing.T) {
	const fields = "booking/booking_id booking/channel_id booking/account_id booking/status"
	const check = "3e045ca9e59467c73b773a4b8c520eb786ce73d768f6544f5750a8cb9a2da2a9"
	for _, key := range []string{"EXAMPLEKEY", "3930=EXAMPLEKEY", "1=OTHER 3930=EXAMPLEKEY"} {
		if err := readSigned(signed("SHA256", fields, check), key); err != nil {
			t.Errorf("key %s: %v", key, err)
		}
	}
	if !phpAccepts(t, []byte(signed("SHA256", fields, check)), "EXAMPLEKEY") {
		t.Error("the independent check does not accept it")
	}
	refused(t, readSigned(signed("SHA256", fields, check), "examplekey"), 401, "wrong")
	refused(t, readSigned(signed("SHA256", fields, "4"+check[1:]), "EXAMPLEKEY"), 401, "wrong")
	refused(t, readSigned(signed("SHA256", fields, check[:62]), "EXAMPLEKEY"), 401, "wrong")
	refused(t, readSigned(signed("SHA256", fields, ""), "EXAMPLEKEY"), 401, "wrong")
	refused(t, readSigned(signed("SHA256", fields, "x"), "EXAMPLEKEY"), 401, "wrong")
	refused(t, readSigned(signed("SHA256", fields, check), "3931=EXAMPLEKEY"), 401, "channel “3930”")
	changed := strings.Replace(signed("SHA256", fields, check), "<status>2", "<status>1", 1)
	refused(t, readSigned(changed, "EXAMPLEKEY"), 401, "wrong")
	refused(t, readSigned(golden(t, "show_booking.xml"), "EXAMPLEKEY"), 401, "no signature")
	if err := readSigned(changed, ""); err != nil {
		t.Errorf("without a stored key it is to be taken: %v", err)
	}
}

func TestSignatureAlgorithms(t *testing.T) {
	for name, new := range map[string]func() hash.Hash{
		"MD5": md5.New, "sha1": sha1.New, "SHA256": sha256.New, "Sha256": sha256.New, "sha384": sha512.New384, "SHA512": sha512.New,
	} {
		if err := readSigned(signed(name, "booking/booking_id", sum(new, "1234")), "EXAMPLEKEY"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "SHA3", "none", "crc32", strings.Repeat("x", 1000)} {
		refused(t, readSigned(signed(name, "booking/booking_id", sum(sha256.New, "1234")), "EXAMPLEKEY"), 401, "algorithm")
	}
}

// signedPaths are paths with what they add to booking/booking_id, "-" for nothing, "!"
// if they are refused; PHP 8.2.36 with libxml2 2.9.14 adds the same, and nothing for
// the last two. How paths are evaluated, testdata/xpath shows.
var signedPaths = map[string]string{
	"booking/components/component/product_id": "12|15",
	"//product_id":                                      "12|15|16",
	"booking//product_id":                               "12|15|16",
	".//component/product_id":                           "12|15|16",
	"booking//component/component/product_id":           "16",
	"//component/@id":                                   "c1|c2",
	"booking/components/component[2]/product_id":        "15",
	"booking/components/component[last()]/product_id":   "15",
	"booking/components/component[3]/product_id":        "-",
	"booking/components/component[@id='c1']/product_id": "12",
	`booking/components/component[@id="c2"]/product_id`: "15",
	"booking/components/component[product_id='15']/@id": "c2",
	"booking/components/component[note]/product_id":     "12",
	"booking/components/component/product_id[.='12']":   "12",
	"booking/components/component[component][1]/@id":    "c2",
	"/response/booking/status":                          "2",
	"/booking/status":                                   "-",
	"//booking/status":                                  "2",
	"./booking/./status":                                "2",
	"/response/@a":                                      "root",
	"@a":                                                "root",
	"booking/@*":                                        "b|en",
	"booking/empty":                                     "",
	"booking/nothing":                                   "-",
	"booking/mixed":                                     "acd",
	"booking/components/component/*":                    "12||15|",
	"*/status":                                          "2",
	"booking//component[1]/product_id":                  "12|16",
	"last  booking/nothing":                             "z",
	"child::booking/child::status":                      "2",
	"booking/booking_id/text()":                         "1234",
	"booking/status|booking/account_id":                 "4069|2",
	"booking/status|booking/status":                     "2",
	"booking/components/component/../../status":         "2",
	"booking/components/component/product_id/../@id":    "c1|c2",
	"booking[status='2']/channel_id":                    "3930",
	"//component[component/product_id=16]/@id":          "c2",
	"//component[/response/last='z']/product_id":        "12|15|16",
	"//component[position()<2]/product_id":              "12|16",
	"//product_id/ancestor::component/@id":              "c1|c2",
	"booking/*[self::status|self::account_id]":          "4069|2",
	"booking/*[starts-with(name(),'status')]":           "2",
	"booking/@xml:lang":                                 "en",
	"..//last":                                          "z",
	"booking/mixed/text()":                              "acd|acd|acd", // SimpleXML: the element, for each text
	"booking/mixed/node()":                              "acd|b|acd| x |acd",
	"booking/mixed/comment()":                           " x ",
	"/":                                                 "-",
	"text()":                                            "-",
	"booking/mixed[text()='c']":                         "acd",
	"count(//*)":                                        "-", // no nodes: false in PHP, or an empty list
	"string(booking/status)":                            "-",
	"booking/status=2":                                  "-",
	"a/":                                                "-", // no XPath: a warning in PHP
	"booking/status[":                                   "-",
	".[1]":                                              "-",
	"x:a":                                               "-",
	"booking/status|x:a":                                "-",
	"foo(booking)":                                      "-",
	"@a/b":                                              "-",
	"namespace::*":                                      "!",
	"id('b')":                                           "!",
}

func TestSignaturePaths(t *testing.T) {
	for path, want := range signedPaths {
		message := "1234|" + want
		if want == "-" {
			message = "1234"
		}
		err := readSigned(signed("SHA256", "booking/booking_id "+escaped(t, path), sum(sha256.New, message)), "EXAMPLEKEY")
		if want == "!" {
			refused(t, err, 401, "hash_fields")
		} else if err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A right hash over something else proves nothing about this booking.
func TestSignatureThatCoversNothing(t *testing.T) {
	evil := strings.Replace(document, "<last>z", "<last>1234|3930|4069|2", 1) + "<signed><algorithm>SHA256</algorithm><hash_fields>last</hash_fields><hash>" +
		sum(sha256.New, "1234|3930|4069|2") + "</hash></signed></response>"
	for name, body := range map[string]string{
		"nothing":        signed("SHA256", "booking/nothing", sum(sha256.New, "")),
		"no fields":      signed("SHA256", "", sum(sha256.New, "")),
		"another field":  evil,
		"another one":    strings.Replace(signed("SHA256", "x/booking_id", sum(sha256.New, "1234")), "<last>", "<x><booking_id>1234</booking_id></x><last>", 1),
		"an empty one":   strings.Replace(signed("SHA256", "booking/booking_id", sum(sha256.New, "")), ">1234<", "><", 1),
		"no booking":     "<r><signed><algorithm>MD5</algorithm><hash_fields>//signed</hash_fields><hash/></signed></r>",
		"other spaces":   "<r xmlns='x'><booking><booking_id>1234</booking_id></booking></r>",
		"two signatures": signed("SHA256", "booking/booking_id", sum(sha256.New, "1234")),
	} {
		if name == "two signatures" {
			body = strings.Replace(body, "<signed>", "<signed/><signed>", 1)
		}
		refused(t, readSigned(body, "EXAMPLEKEY"), 401, "signature")
	}
}

// A path that is no XPath adds nothing; if the signature is wrong, it is named.
func TestSignatureNamesThePath(t *testing.T) {
	fields := "booking/booking_id booking/status["
	if err := readSigned(signed("SHA256", fields, sum(sha256.New, "1234")), "EXAMPLEKEY"); err != nil {
		t.Error(err)
	}
	refused(t, readSigned(signed("SHA256", fields, sum(sha256.New, "1234|2")), "EXAMPLEKEY"), 401, "“booking/status[”")
	refused(t, readSigned(signed("SHA256", "booking/booking_id[", sum(sha256.New, "")), "EXAMPLEKEY"), 401, "“booking/booking_id[”")
}

// The list of paths is the choice of whoever calls. What lists cost is tested beside
// the table of paths.
func TestSignatureBounds(t *testing.T) {
	refused(t, readSigned(signed("SHA256", strings.Repeat("a ", 1000)+"b", ""), "EXAMPLEKEY"), 401, "1000 paths")
	refused(t, readSigned(signed("SHA256", strings.Repeat("a", 65_537), ""), "EXAMPLEKEY"), 401, "65536 bytes")
	fields := strings.TrimSuffix(strings.Repeat("//*[a]/*[a]/*[a]/*[a]/*[a]/*[a]/*[a]/*/*/* ", 50), " ")
	nest := strings.Repeat("<a>", 90) + strings.Repeat("<a/>", 10) + strings.Repeat("</a>", 90)
	body := "<r>" + strings.Repeat(nest, 1990) + "<signed><algorithm>MD5</algorithm><hash_fields>" + fields + "</hash_fields><hash/></signed></r>"
	began := time.Now()
	refused(t, readSigned(body, "EXAMPLEKEY"), 401, "not checked")
	t.Log(len(body)>>10, "KiB in", time.Since(began))
}

// TestManyConditions: conditions cost something, too, also on what is not there.
func TestManyConditions(t *testing.T) {
	elements := strings.Repeat("<x/>", 20_000)
	fields := "booking/booking_id //*" + strings.Repeat("[1]", 1000) + " //*" + strings.Repeat("[*|.]", 100)
	body := strings.Replace(signed("SHA256", fields, ""), "</response>", elements+"</response>", 1)
	refused(t, readSigned(body, "EXAMPLEKEY"), 401, "not checked")
}

// Whatever the fields are: no panic, and only what is signed with the key is
// taken.
func FuzzSignature(f *testing.F) {
	f.Add("SHA256", "booking/booking_id booking/status", "1234|2")
	f.Add("md5", "//booking_id[1] //@id", "")
	f.Add("SHA512", "/*/*/booking_id[last()]  .", "x")
	f.Fuzz(func(t *testing.T, algorithm, fields, message string) {
		body := signed("SHA256", escaped(t, fields), sum(sha256.New, message))
		if readSigned(body, "EXAMPLEKEY") == nil && !strings.Contains(message, "1234") {
			t.Errorf("taken: %s", body)
		}
		if readSigned(body, "ANOTHERKEY") == nil {
			t.Errorf("taken with another key: %s", body)
		}
		if readSigned(signed(escaped(t, algorithm), "booking/booking_id", ""), "EXAMPLEKEY") == nil {
			t.Errorf("taken without a hash, with the algorithm %q", algorithm)
		}
	})
}

func escaped(t testing.TB, text string) string {
	t.Helper()
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
