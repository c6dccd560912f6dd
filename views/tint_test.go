package views

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// textOf is what a copy of an element takes.
func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var text strings.Builder
	for c := range n.ChildNodes() {
		text.WriteString(textOf(c))
	}
	return text.String()
}

// A tinted body has the same text, byte for byte; one that is large is not tinted.
func TestTinted(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"a":-1.5e3,"b":"c: \"1\"","d":[true,null,{}]}`: "{\n  " + `<span class="json-key">&#34;a&#34;</span>: <span class="json-value">-1.5e3</span>,` + "\n  " +
			`<span class="json-key">&#34;b&#34;</span>: &#34;c: \&#34;1\&#34;&#34;,` + "\n  " + `<span class="json-key">&#34;d&#34;</span>: [` + "\n    " +
			`<span class="json-value">true</span>,` + "\n    " + `<span class="json-value">null</span>,` + "\n    {}\n  ]\n}",
		`"</pre><script>\\"`: `&#34;&lt;/pre&gt;&lt;script&gt;\\&#34;`,
		`7`:                  `<span class="json-value">7</span>`,
		`["\\",{"\"":"<"}]`:  "[\n  &#34;\\\\&#34;,\n  {\n    " + `<span class="json-key">&#34;\&#34;&#34;</span>: &#34;&lt;&#34;` + "\n  }\n]",
	} {
		pretty, ok := prettyJSON([]byte(body))
		if got := rendered(t, tinted(pretty)); !ok || got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", body, got, want)
		}
		page, err := html.Parse(strings.NewReader(rendered(t, bodyText("b", "body", []byte(body), false))))
		if err != nil {
			t.Fatal(err)
		}
		for n := range page.Descendants() {
			if n.Data == "pre" && n.Attr[0].Val == "b" && textOf(n) != pretty {
				t.Errorf("%s: a copy is %q, want %q", body, textOf(n), pretty)
			}
		}
	}
	if pretty, ok := prettyJSON([]byte("[" + strings.Repeat("1,", maxTinted) + "1]")); !ok || strings.Contains(rendered(t, tinted(pretty)), "<span") {
		t.Error("a large body is tinted")
	}
	if got := rendered(t, bodyText("b", "body", []byte("a=1&b=2"), false)); strings.Contains(got, "json-") {
		t.Errorf("what is no JSON is tinted: %s", got)
	}
}
