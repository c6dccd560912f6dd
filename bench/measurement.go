package bench

import (
	"errors"
	"os"
	"time"
)

// Way is what is between the load and the receiver.
type Way string

// The ways, see the package comment.
const (
	Stored    Way = "stored"
	Unstoring Way = "nothing stored"
	Bare      Way = "bare POST"
)

// Measurement is the result of one load. Counts and rates are of its window, but
// Refused, Lost and Duplicated of the whole load. What could not be measured is
// null.
type Measurement struct {
	Name        string  `json:"name"`
	Way         Way     `json:"way"`
	Accounts    int     `json:"accounts"`
	Webhooks    int     `json:"webhooks"`
	Connections int     `json:"connections"`
	Rate        int     `json:"rate"` // events/s that were planned; 0: as many as possible
	Seconds     float64 `json:"seconds"`

	AcceptedPerSecond  float64 `json:"accepted_per_second"`
	DeliveredPerSecond float64 `json:"delivered_per_second"`
	Accepted           int     `json:"accepted"`
	Delivered          int     `json:"delivered"`
	Waiting            int     `json:"waiting"` // accepted and not yet delivered when the window ended
	DrainSeconds       float64 `json:"drain_seconds"`

	Refused    int `json:"refused"`    // not accepted
	Busy       int `json:"busy"`       // of the refused, those whose response asked to retry
	Lost       int `json:"lost"`       // accepted, never delivered
	Duplicated int `json:"duplicated"` // deliveries beyond the first of an event
	Unrecorded int `json:"unrecorded"` // webhooks with a delivery that is still pending in the database

	Accept      Percentiles `json:"accept"`                // from the planned time to the complete answer
	AcceptFirst Percentiles `json:"accept_first_quarter"`  // of the window
	AcceptLast  Percentiles `json:"accept_last_quarter"`   // of the window
	Delivery    Percentiles `json:"accepted_to_delivered"` // 0 when it was delivered before the answer was read

	ServerCPU      *float64 `json:"server_cpu_us_per_delivery"`
	DatabaseCPU    *float64 `json:"database_cpu_us_per_delivery"` // of it, that of the database server
	OwnCPU         *float64 `json:"load_and_receiver_cpu_us_per_delivery"`
	ResidentBefore *float64 `json:"server_resident_before_mb"` // when the window began
	Resident       *float64 `json:"server_resident_mb"`        // when the window ended
	Peak           *float64 `json:"server_peak_resident_mb"`   // until then
	DatabaseBytes  *float64 `json:"database_bytes_per_delivery"`

	all       int             // deliveries, those outside the window too
	latencies []time.Duration // from accepted to delivered
	served    time.Duration   // how long Bookhook ran
	// When the window began and ended.
	server, own, database []usage
}

// sample records what was used so far, on systems where that can be read. What the
// database server uses, if its process is not 0, is counted apart and counts as that of
// what is measured, too.
func (m *Measurement) sample(processes servers, database int) {
	if u, err := readUsage(os.Getpid()); err == nil {
		m.own = append(m.own, u)
	}
	if len(processes) == 0 {
		return
	}
	var all usage
	for _, s := range processes {
		u, err := readUsage(s.cmd.Process.Pid)
		if err != nil {
			return
		}
		all.add(u)
	}
	if database != 0 {
		u, err := readFamily(database)
		if err != nil {
			return
		}
		m.database = append(m.database, u)
		u.peak = u.resident
		all.add(u)
	}
	m.server = append(m.server, all)
}

func (m *Measurement) count(c count, w window, l *deliveryLog, way Way) {
	m.Seconds = w.seconds()
	m.Accepted, m.Delivered, m.all = c.accepted, c.delivered, c.all
	m.AcceptedPerSecond, m.DeliveredPerSecond = float64(c.accepted)/m.Seconds, float64(c.delivered)/m.Seconds
	m.Waiting, m.Lost, m.Duplicated = c.waiting, c.lost, c.duplicated
	m.Refused, m.Busy = int(l.refused.Load()), int(l.busy.Load())
	m.Accept, m.latencies = percentiles(c.accept), c.delivery
	m.AcceptFirst, m.AcceptLast = percentiles(c.early), percentiles(c.late)
	if way != Bare {
		m.Delivery = percentiles(c.delivery)
	}
	m.OwnCPU = m.perDelivery(m.own)
	m.ServerCPU, m.DatabaseCPU = m.perDelivery(m.server), m.perDelivery(m.database)
	if len(m.server) > 0 {
		first, last := m.server[0], m.server[len(m.server)-1]
		m.ResidentBefore, m.Resident, m.Peak = new(megabytes(first.resident)), new(megabytes(last.resident)), new(megabytes(last.peak))
	}
}

// perDelivery returns the processor time of a delivery in the window, in
// microseconds; nil if it was not measured.
func (m *Measurement) perDelivery(used []usage) *float64 {
	if len(used) != 2 || m.Delivered == 0 {
		return nil
	}
	return new(micros(used[1].cpu-used[0].cpu) / float64(m.Delivered))
}

// total is for systems that report usage only of finished processes.
func (m *Measurement) total(state *os.ProcessState) {
	if m.ServerCPU == nil && m.all > 0 {
		m.ServerCPU = new(micros(state.UserTime()+state.SystemTime()) / float64(m.all))
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func megabytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// lastRefusal returns why the last refused event was refused.
func (l *deliveryLog) lastRefusal() error {
	if err := l.lastErr.Load(); err != nil {
		return *err
	}
	return errors.New("no event got an answer in time")
}
