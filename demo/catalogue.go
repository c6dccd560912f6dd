package demo

import "bookhook/webhook"

// The catalogue of a made-up tour operator.

// channels are where bookings are sold.
var channels = []webhook.Item{
	{ID: "3930", Name: "Website"},
	{ID: "4102", Name: "Viator"},
	{ID: "4103", Name: "GetYourGuide"},
	{ID: office, Name: "Back office"},
	{ID: "4110", Name: "Klook"},
	{ID: "4127", Name: "Tiqets"},
	{ID: "4140", Name: "Tourist information, Niguliste 2"},
	{ID: "4155", Name: "Harbour Hotel front desk"},
}

// office is the channel on which staff book.
const office = "3931"

// tour is what is sold; it starts at the same time every day.
type tour struct {
	id, name, start string
	price           int // euros for each person
}

var tours = []tour{
	{"101", "Old Town Ghost Walk", "21:00", 22},
	{"102", "Legends of Toompea by Lantern", "20:00", 24},
	{"103", "Night Walk along the City Wall", "21:30", 20},
	{"104", "Bastion Tunnels after Dark", "20:30", 26},
	{"105", "Rooftops at Dusk", "18:30", 22},
	{"106", "Kadriorg Park by Lantern", "20:00", 22},
	{"107", "Photographers' Blue Hour", "17:30", 65},
	{"108", "Telliskivi Street Art by Night", "20:00", 25},
	{"109", "Soviet Tallinn after Hours", "20:00", 33},
	{"110", "The Prison at Patarei, by Torch", "21:00", 31},
	{"201", "Sunset Sail on Tallinn Bay", "19:00", 49},
	{"202", "Harbour Lights Cruise", "21:00", 35},
	{"203", "Midnight Kayak round the Seaplane Harbour", "23:00", 59},
	{"204", "Night Ferry to Aegna and Back", "20:30", 45},
	{"301", "Medieval Dinner, Seven Courses", "19:30", 68},
	{"302", "Kalamaja Craft Beer Evening", "18:00", 54},
	{"303", "Black Bread and Baltic Herring", "18:30", 39},
	{"304", "Marzipan Workshop", "17:00", 42},
	{"305", "Café Crawl for the Sleepless", "22:00", 36},
	{"401", "Smoke Sauna and Sea Swim", "18:30", 64},
	{"402", "Bog Walk under the Stars", "22:00", 58},
	{"403", "Stargazing at Kakumäe", "23:00", 45},
	{"404", "Northern Lights Watch (not guaranteed)", "23:30", 79},
	{"501", "Tallinn in 90 Minutes, Night Bus", "20:30", 19},
	{"502", "Private Night Tour with Driver", "20:00", 240},
}

// boats are the tours on the water.
var boats = []string{"201", "202", "203", "204"}

var guests = []string{
	"Maarja Tamm", "Liam O'Connor", "Søren Østergaard", "Aiko Tanaka", "Zoë Müller", "Juan Carlos Núñez", "Ngozi Okafor",
	"Emma Virtanen", "Łukasz Wójcik", "Chloé Lefèvre", "Priya Raman", "Oleksandra Kovalenko", "Jānis Bērziņš", "Ada Byron",
	"陈美玲", "Mateus da Silva", "Guðrún Jónsdóttir", "Noah Williams", "Fatima Zahra", "Kristjan Mägi",
}

func tourItems() []webhook.Item {
	items := make([]webhook.Item, len(tours))
	for i, t := range tours {
		items[i] = webhook.Item{ID: t.id, Name: t.name}
	}
	return items
}
