// Package all lists the booking platforms that Bookhook supports, and Bookhook itself. A new platform
// is a new folder beside this one and one line here.
package all

import (
	"bookhook/platforms"
	"bookhook/platforms/bookhook"
	"bookhook/platforms/ltd"
	"bookhook/platforms/prioticket"
	"bookhook/platforms/tourcms"
	"bookhook/platforms/wink"
)

// Platforms are they, in the order they are shown.
func Platforms() platforms.Registry {
	return platforms.Registry{
		tourcms.Platform(),
		prioticket.Platform(),
		ltd.Platform(),
		wink.Platform(),
		bookhook.Platform(),
	}
}
