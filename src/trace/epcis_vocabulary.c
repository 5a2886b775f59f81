/*
 * epcis_vocabulary.c
 *		The words of the Core Business Vocabulary (CBV 2.0), and the forms they are written in: bare,
 *		as URN, as web URI, or with the prefix cbv, which the EPCIS context protects.
 */
#include "quality_gov.h"

#include "trace/epcis_text.h"

/* Each list is in the order of bytes. */
static const char *const biz_steps[] = {"accepting",
										"arriving",
										"assembling",
										"collecting",
										"commissioning",
										"consigning",
										"creating_class_instance",
										"cycle_counting",
										"decommissioning",
										"departing",
										"destroying",
										"disassembling",
										"dispensing",
										"encoding",
										"entering_exiting",
										"holding",
										"inspecting",
										"installing",
										"killing",
										"loading",
										"other",
										"packing",
										"picking",
										"receiving",
										"removing",
										"repackaging",
										"repairing",
										"replacing",
										"reserving",
										"retail_selling",
										"sampling",
										"sensor_reporting",
										"shipping",
										"staging_outbound",
										"stock_taking",
										"stocking",
										"storing",
										"transporting",
										"unloading",
										"unpacking",
										"void_shipping"};

static const char *const dispositions[] = {"active",
										   "available",
										   "completeness_inferred",
										   "completeness_verified",
										   "conformant",
										   "container_closed",
										   "container_open",
										   "damaged",
										   "destroyed",
										   "dispensed",
										   "disposed",
										   "encoded",
										   "expired",
										   "in_progress",
										   "in_transit",
										   "inactive",
										   "mismatch_class",
										   "mismatch_instance",
										   "mismatch_quantity",
										   "needs_replacement",
										   "no_pedigree_match",
										   "non_conformant",
										   "non_sellable_other",
										   "partially_dispensed",
										   "recalled",
										   "reserved",
										   "retail_sold",
										   "returned",
										   "sellable_accessible",
										   "sellable_not_accessible",
										   "stolen",
										   "unavailable",
										   "unknown"};

static const char *const transactions[] = {"bol",	  "cert",	 "desadv",	  "inv",	"pedigree",
										   "po",	  "poc",	 "prodorder", "recadv", "rma",
										   "testprd", "testres", "upevt"};

static const char *const parties[] = {"location", "owning_party", "possessing_party"};

static const char *const reasons[] = {"did_not_occur", "incorrect_data"};

static const char *const components[] = {
	"altitude",		 "axial_distance",	 "azimuth",	 "easting",	  "elevation_angle",
	"geocoordinate", "height",			 "latitude", "longitude", "northing",
	"polar_angle",	 "spherical_radius", "x",		 "y",		  "z"};

static const char *const alerts[] = {"ALARM_CONDITION", "ERROR_CONDITION"};

/* In the order of QgEpcisVocabulary. */
static const struct
{
	const char *name; /* as messages call it */
	const char *urn;  /* behind urn:epcglobal:cbv: */
	const char *web;  /* behind the namespace of the CBV */
	const char *const *words;
	int count;
} vocabularies[] = {
	{"bizStep", "bizstep:", "BizStep-", biz_steps, lengthof(biz_steps)},
	{"disposition", "disp:", "Disp-", dispositions, lengthof(dispositions)},
	{"business transaction type", "btt:", "BTT-", transactions, lengthof(transactions)},
	{"source or destination type", "sdt:", "SDT-", parties, lengthof(parties)},
	{"error reason", "er:", "ER-", reasons, lengthof(reasons)},
	{"sensor component", NULL, "Comp-", components, lengthof(components)},
	{"sensor alert type", NULL, NULL, alerts, lengthof(alerts)}};

static const char *const web_spaces[] = {"https://ref.gs1.org/cbv/", "http://ref.gs1.org/cbv/",
										 "https://ns.gs1.org/cbv/", "cbv:"};

/* Where the CBV's attributes of instances and lots are (ILMD), and those of the GS1 vocabulary. */
static const char *const attribute_spaces[] = {
	"cbvmda:", "urn:epcglobal:cbv:mda:", "urn:epcglobal:cbv:mda#",
	"gs1:",	   "https://gs1.org/voc/",	 "https://ref.gs1.org/voc/"};

/* Gives how far a text is a prefix and what follows begins; NULL where it is not. */
static const char *
behind(const char *text, int *length, const char *prefix)
{
	int n = (int) strlen(prefix);

	if (*length < n || memcmp(text, prefix, n) != 0)
		return NULL;
	*length -= n;
	return text + n;
}

/* Finds a word, NULL where the vocabulary has none such. */
static const char *
find_word(QgEpcisVocabulary vocabulary, const char *text, int length)
{
	int low = 0;
	int high = vocabularies[vocabulary].count - 1;

	while (low <= high)
	{
		int middle = (low + high) / 2;
		const char *word = vocabularies[vocabulary].words[middle];
		int order = strncmp(word, text, length);

		if (order == 0 && word[length] == '\0')
			return word;
		if (order < 0)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return NULL;
}

/*
 * Reads a term: gives the word of the standard in whichever form it stands, and tells whether a URI
 * is somebody's own or claims a word that the standard does not have.
 */
QgEpcisTerm
qg_epcis_term(QgEpcisVocabulary vocabulary, const char *text, int length, const char **word)
{
	int n = length;
	const char *rest = NULL;

	*word = NULL;
	if (memchr(text, ':', length) == NULL)
	{
		*word = find_word(vocabulary, text, length);
		return *word ? QG_EPCIS_WORD : QG_EPCIS_UNKNOWN;
	}
	if (!qg_epcis_is_uri(text, length))
		return QG_EPCIS_UNKNOWN;
	if (vocabularies[vocabulary].urn != NULL)
	{
		rest = behind(text, &n, "urn:epcglobal:cbv:");
		if (rest != NULL)
			rest = behind(rest, &n, vocabularies[vocabulary].urn);
	}
	for (int i = 0; rest == NULL && i < (int) lengthof(web_spaces); i++)
	{
		n = length;
		rest = vocabularies[vocabulary].web ? behind(text, &n, web_spaces[i]) : NULL;
		if (rest != NULL)
			rest = behind(rest, &n, vocabularies[vocabulary].web);
	}
	if (rest == NULL)
		return QG_EPCIS_OWN;
	*word = find_word(vocabulary, rest, n);
	return *word ? QG_EPCIS_WORD : QG_EPCIS_UNKNOWN;
}

/* Gives what messages call a vocabulary. */
const char *
qg_epcis_vocabulary_name(QgEpcisVocabulary vocabulary)
{
	return vocabularies[vocabulary].name;
}

/* Tells whether a key is an attribute of the CBV or the GS1 vocabulary by that name. */
bool
qg_epcis_attribute(const char *key, int length, const char *name)
{
	for (int i = 0; i < (int) lengthof(attribute_spaces); i++)
	{
		int n = length;
		const char *rest = behind(key, &n, attribute_spaces[i]);

		if (rest != NULL && n == (int) strlen(name) && memcmp(rest, name, n) == 0)
			return true;
	}
	return false;
}
