package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// listFlags are the flags of every list command.
type listFlags struct {
	JSON bool `name:"json" help:"Print a JSON array instead of a table, for scripts."`
}

// printList prints a table, or the items as a JSON array. The columns are the
// head of the table; row returns the cells of an item.
func printList[T any](f listFlags, to io.Writer, items []T, columns []string, row func(T) []string) error {
	if f.JSON {
		encoder := json.NewEncoder(to)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(append([]T{}, items...)) // an empty list is [], not null
	}
	table := tabwriter.NewWriter(to, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, strings.Join(columns, "\t"))
	for _, item := range items {
		fmt.Fprintln(table, strings.Join(row(item), "\t"))
	}
	return table.Flush()
}

// optionalTime returns nil for the zero time, which is null in JSON.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// showTime returns a time in UTC, to the second; "never" for nil.
func showTime(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}
