package webhook

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestDifferences(t *testing.T) {
	tests := []struct {
		name, before, after string
		want                []string // op path was > value
	}{
		{"a status", `{"status":"PROVISIONAL","total":"90.00"}`, `{"total":"90.00", "status":"CONFIRMED"}`, []string{`replace /status "PROVISIONAL" > "CONFIRMED"`}},
		{"white space, order and escapes", `{"a":[1,"é / 🎟"],"b":{}}`, "{\n \"b\": { }, \"a\": [ 1, \"\\u00e9 \\/ \\ud83c\\udf9f\" ] }", nil},
		{"digits of a number", `{"total":12345678901234567890}`, `{"total":12345678901234567891}`, []string{`replace /total 12345678901234567890 > 12345678901234567891`}},
		{"added and removed", `{"a":1,"b":null}`, `{"b":null,"c":{"d":[1, 2]}}`, []string{`add /c  > {"d":[1,2]}`, `remove /a 1 > `}},
		{"another type", `{"a":{"b":1}}`, `{"a":[1]}`, []string{`replace /a {"b":1} > [1]`}},
		{"names that are escaped in a pointer", `{"a/b":{"m~n":1}}`, `{"a/b":{"m~n":2}}`, []string{`replace /a~1b/m~0n 1 > 2`}},
		{"an entry at the beginning of a list", `[{"id":2},{"id":3}]`, `[{"id":1},{"id":2},{"id":3}]`, []string{`add /0  > {"id":1}`}},
		{"an entry in the middle of a list", `{"t":["a","b","c"]}`, `{"t":["a","c"]}`, []string{`remove /t/1 "b" > `}},
		{"within an entry of a list", `[{"id":1,"q":2},{"id":2}]`, `[{"id":1,"q":3},{"id":2}]`, []string{`replace /0/q 2 > 3`}},
		{"the same entries again", `[1,1]`, `[1,1,1]`, []string{`add /2  > 1`}},
		{"an empty list", `{"t":[]}`, `{"t":["x,y]"]}`, []string{`add /t/0  > "x,y]"`}},
		{"a name twice", `{"a":1,"a":2}`, `{"a":2}`, nil},
		{"whole texts", `"a"`, `null`, []string{`replace  "a" > null`}},
		{"not JSON", `{"a":1`, `{"a":2}`, nil},
		{"nothing", ``, `{"a":2}`, nil},
	}
	for _, tt := range tests {
		all, more := Differences([]byte(tt.before), []byte(tt.after))
		var got []string
		for _, d := range all {
			got = append(got, string(d.Op)+" "+d.Path+" "+string(d.Was)+" > "+string(d.Value))
		}
		if !reflect.DeepEqual(got, tt.want) || more {
			t.Errorf("%s:\ngot  %q, %v\nwant %q", tt.name, got, more, tt.want)
		}
	}
}

// TestDifferencesAreBounded: a payload with more differences than are shown says so,
// and one that is nested deeper than is compared is compared as a whole there.
func TestDifferencesAreBounded(t *testing.T) {
	list := func(entry string, n int) []byte {
		return []byte("[" + strings.TrimSuffix(strings.Repeat(entry+",", n), ",") + "]")
	}
	all, more := Differences(list("1", MaxDifferences), list("2", MaxDifferences))
	if len(all) != MaxDifferences || more {
		t.Errorf("got %d, %v, want all and no more", len(all), more)
	}
	all, more = Differences(list("1", MaxDifferences+1), list("2", MaxDifferences+1))
	if len(all) != MaxDifferences || !more {
		t.Errorf("got %d, %v, want %d and more", len(all), more, MaxDifferences)
	}
	all, more = Differences(list(`{"a":1}`, 5), list(`{"b":1}`, MaxDifferences))
	if len(all) != MaxDifferences || !more {
		t.Errorf("in objects: got %d, %v, want %d and more", len(all), more, MaxDifferences)
	}
	nest := func(value string, n int) []byte {
		return []byte(strings.Repeat(`{"a":`, n) + value + strings.Repeat("}", n))
	}
	all, _ = Differences(nest("1", 5000), nest("2", 5000))
	if len(all) != 1 || all[0].Path != strings.Repeat("/a", maxCompared) || len(all[0].Value) < 5000 {
		t.Errorf("got %d differences, want one of the twentieth level as a whole", len(all))
	}
}

// TestDifferencesBelowLongNames: two texts do not make differences that are hundreds of
// times as long as they are.
func TestDifferencesBelowLongNames(t *testing.T) {
	text := func(value string) []byte {
		inner := strings.TrimSuffix(strings.Repeat(value+",", MaxDifferences), ",")
		return []byte(`{"` + strings.Repeat("k", 10_000) + `":{"` + strings.Repeat("/", 10_000) + `":[` + inner + `]}}`)
	}
	before, after := text("1"), text("2")
	all, more := Differences(before, after)
	size := 0
	for _, d := range all {
		size += len(d.Path) + len(d.Was) + len(d.Value)
	}
	if most := 2 * (len(before) + len(after)); len(all) == 0 || more || size > most {
		t.Errorf("got %d differences of %d bytes, more %v; want at most %d bytes", len(all), size, more, most)
	}
}

// FuzzDifferences wants that what is listed is in the texts, that nothing is listed
// for a text and itself, and that two texts with nothing listed mean the same.
func FuzzDifferences(f *testing.F) {
	f.Add(`{"a":[1,{"b":"c"}]}`, `{"a":[{"b":"d\\\""},2],"e":null}`)
	f.Add(`[1,1,2]`, `[1,2,2]`)
	f.Add("\"\\ud83d\"", `{"":[],"a~/":{}}`)
	f.Fuzz(func(t *testing.T, before, after string) {
		if all, _ := Differences([]byte(before), []byte(before)); len(all) > 0 {
			t.Errorf("%s differs from itself in %v", before, all)
		}
		all, _ := Differences([]byte(before), []byte(after))
		var was, is any
		if json.Unmarshal([]byte(before), &was) != nil || json.Unmarshal([]byte(after), &is) != nil {
			if len(all) > 0 {
				t.Errorf("%q and %q are not both JSON and differ in %v", before, after, all)
			}
			return
		}
		if len(all) == 0 && !reflect.DeepEqual(was, is) {
			t.Errorf("%s and %s are not the same", before, after)
		}
		for _, d := range all {
			if d.Op != Added && !found(was, d.Path, d.Was) || d.Op != Removed && !found(is, d.Path, d.Value) {
				t.Errorf("%s and %s: there is no %v %q %s %s", before, after, d.Op, d.Path, d.Was, d.Value)
			}
		}
	})
}

// found reports whether a value is at a JSON pointer.
func found(in any, path string, value json.RawMessage) bool {
	for _, name := range strings.Split(path, "/")[1:] {
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		switch v := in.(type) {
		case map[string]any:
			in = v[name]
		case []any:
			var i int
			if json.Unmarshal([]byte(name), &i) != nil || i >= len(v) {
				return false
			}
			in = v[i]
		}
	}
	var want any
	return json.Unmarshal(value, &want) == nil && reflect.DeepEqual(in, want)
}
