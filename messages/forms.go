package messages

// forms says what is wrong with a form of a page, besides what is in problems.
var forms = Texts{
	"login.wrong":       "Wrong e-mail address or password.",
	"login.too_many":    "Too many failed attempts. Wait 15 minutes, or sign in from another network.",
	"password.wrong":    "This is not your password.",
	"password.too_many": "Too many wrong passwords. Wait 15 minutes.",

	"account.number":         "Use a whole number, such as 4069.",
	"account.number_missing": "Enter the account's number, such as 4069.",
	"number.range":           "Use a whole number from %s to %s.",
	"time_zone.unknown":      "Choose a time zone from the list.",
	"role.unknown":           "Choose a role from the list.",
	"theme.unknown":          "Choose light, dark or as the system.",
	"switch.unknown":         "Send 1 to switch it on, 0 to switch it off.",
	"setting.secret_again":   "%s is not shown again: enter it once more.",
	"setting.destination":    "%s was stored for another scheme, host or port. Enter it again for this address, or remove it.",

	"person.self_remove":   "You cannot remove yourself. Ask another operator to do it.",
	"person.self_password": "Change your own password under Settings, Profile.",

	"filter.state":   "There is no such status; choose one from the list.",
	"filter.webhook": "There is no such webhook; choose one from the list.",
	"filter.event":   "There is no such event; choose one from the list.",
	"filter.sent":    "There is no such choice; choose one from the list.",
	"filter.period":  "There is no such period; choose one above, or enter when it begins.",
	"filter.until":   "This is before the time in From. Choose a later one, or an earlier From.",
	"filter.moment":  "Write the day as year, month and day, with or without a time of day: 2026-11-21 or 2026-11-21T14:05.",

	"import.not_utf8":   "This list is not in UTF-8. Save it again as “CSV UTF-8”, or paste it here.",
	"import.empty":      "There is nothing in this list. Write one line each: id,name.",
	"import.too_long":   "This list has %s rows; import at most %s at once.",
	"import.many_lines": "%s lines are not valid; here are the first %s.",
	"import.twice":      "The id %s is already on line %s.",
	"import.quotes":     "The quotes on this line do not match. Write a quote inside a name twice.",
	"import.one_part":   "A line has two parts, id and name; this one has 1. Write it as %s.",
	"import.parts":      "A line has two parts, id and name; this one has %s. Put quotes around a name with a %s in it.",

	"reconcile.webhook":       "Choose the webhook whose receiver holds these bookings.",
	"reconcile.nothing":       "Paste the references, or choose a file.",
	"reconcile.column":        "Choose the column that has the references.",
	"reconcile.empty":         "There is nothing in this list.",
	"reconcile.no_references": "No line has a reference in this column. Choose another one.",
	"reconcile.too_large":     "This is larger than %s MiB, the most that is compared at once. Upload a shorter period, or only the column with the references.",
	"reconcile.many_lines":    "This list has more than %s lines, the most that are compared at once. Upload a shorter period.",
	"reconcile.quotes":        "On line %s a quote is opened and not closed. Correct it, or save the list as .xlsx.",
	"reconcile.xls":           "This is an old Excel file (.xls), or one with a password. In Excel choose Save as, Excel Workbook (.xlsx) or CSV UTF-8, without a password, and upload that.",
	"reconcile.ods":           "This is a spreadsheet of LibreOffice or Numbers. Save or export it there as .xlsx or CSV, and upload that.",
	"reconcile.markup":        "This is a web page or XML, whatever its name says. Open it in a spreadsheet, save it as .xlsx or CSV, and upload that.",
	"reconcile.other_file":    "This is neither a CSV file nor an Excel workbook (.xlsx). Export the bookings as one of these.",
	"reconcile.broken":        "This file is damaged and cannot be read. Save it again, or as CSV, and upload that.",
	"reconcile.large_sheet":   "This workbook is too large to be unpacked here. Save it as CSV, and upload that.",
}
