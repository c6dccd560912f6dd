package webhook

import "time"

// AfterFailure returns the health after an attempt failed at now. Failures further
// apart than FailingGap are not one trouble: then it is failing since now.
func (h Health) AfterFailure(now time.Time) Health {
	if h.FailingSince.IsZero() || h.FailedAt.Before(now.Add(-FailingGap)) {
		h.FailingSince = now
	}
	h.FailedAt = now
	return h
}

// SwitchOff returns why a webhook of this health is to be switched off after a
// failure at now: its receiver is gone (it answered 410), or it has failed for
// FailingLimit without a success. It returns "" if the webhook goes on, or is off
// already.
func (h Health) SwitchOff(now time.Time, gone bool) OffReason {
	switch failing := h.SwitchOffAt(); {
	case !h.OffAt.IsZero():
		return ""
	case gone:
		return OffGone
	case !failing.IsZero() && !now.Before(failing):
		return OffFailing
	}
	return ""
}
