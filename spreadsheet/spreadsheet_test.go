package spreadsheet

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
)

// TestFormulas: whatever separates the cells, none begins with what a spreadsheet runs,
// and no cell becomes a second row.
func TestFormulas(t *testing.T) {
	for _, cell := range []string{
		"=1+1", "+1", "-1", "@SUM(A1)", "＝1", "\t=1", " =1", `"=1`, "Ada\n=cmd|'/c calc'!A0\nx", "Ada\r=1", "Ada\u2028=1", "Ada\u0085=1",
		`foo;"=1+1&";bar`, "a;=1", "a; =1", "a;＝1", `a;""=1`, "a;\"\n=1", "';=1",
	} {
		var file bytes.Buffer
		NewWriter(&file).Write([]string{"first", cell, "last"})
		for _, comma := range []rune{',', ';'} {
			reader := csv.NewReader(strings.NewReader(file.String()))
			reader.Comma, reader.LazyQuotes, reader.FieldsPerRecord = comma, true, -1
			rows, err := reader.ReadAll()
			if err != nil || len(rows) != 1 {
				t.Errorf("%q by %q: got %d rows, %v", cell, comma, len(rows), err)
			}
			for _, row := range rows {
				for _, got := range row {
					if begins := strings.TrimLeft(got, "\"' "); begins != "" && strings.ContainsAny(begins[:1], "=+-@") && !strings.Contains(got, "'") {
						t.Errorf("%q by %q: a cell is %q", cell, comma, got)
					}
				}
			}
		}
	}
	var file bytes.Buffer
	NewWriter(&file).Write([]string{"Segel; Meer", "a=b", "12:30 – 14:00", "ü"})
	if got := file.String(); got != "Segel; Meer,a=b,12:30 – 14:00,ü\r\n" {
		t.Errorf("got %q", got)
	}
}
