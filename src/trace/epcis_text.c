/*
 * epcis_text.c
 *		The forms of texts in EPCIS documents: URIs (RFC 3986), times (RFC 3339), zones.
 */
#include "quality_gov.h"

#include "trace/epcis_text.h"

static inline bool
is_alpha(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* Tells whether a text is an absolute URI: a scheme, a colon, and characters that URIs are of. */
bool
qg_epcis_is_uri(const char *text, int length)
{
	int i = 0;

	if (length == 0 || !is_alpha(text[0]))
		return false;
	while (i < length && (is_alpha(text[i]) || is_digit(text[i]) || strchr("+-._", text[i])))
		i++;
	/* An underscore is of no scheme, but of a prefix in JSON-LD. */
	if (i == length || text[i] != ':' || ++i == length)
		return false;
	for (; i < length; i++)
	{
		if (text[i] == '%')
		{
			if (i + 2 >= length || !is_hex(text[i + 1]) || !is_hex(text[i + 2]))
				return false;
		}
		else if (text[i] <= ' ' || text[i] >= 127 || strchr("\"<>\\^`{|}", text[i]))
			return false;
	}
	return true;
}

/* Tells whether a text is a bare word, as a context maps to a URI. */
bool
qg_epcis_is_name(const char *text, int length)
{
	if (length == 0 || !is_alpha(text[0]))
		return false;
	for (int i = 1; i < length; i++)
		if (!is_alpha(text[i]) && !is_digit(text[i]) && text[i] != '_' && text[i] != '-')
			return false;
	return true;
}

/* Reads so many digits, -1 where there are fewer. */
static int
digits(const char *text, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++)
	{
		if (!is_digit(text[i]))
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

/* Counts the days from 2000-01-01 to a day of the calendar, which may not be one. */
static bool
day_number(int year, int month, int day, int32 *days)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int y;
	int m;

	if (year < 1 || month < 1 || month > 12 || day < 1 ||
		day > lengths[month - 1] + (month == 2 && leap ? 1 : 0))
		return false;
	/* Years that begin in March end with the day that leap years add. */
	y = month > 2 ? year : year - 1;
	m = month > 2 ? month - 3 : month + 9;
	*days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 730425;
	return true;
}

/* Reads the day that a date or time begins with. */
bool
qg_epcis_date(const char *text, int length, int32 *days)
{
	if (length < 10 || text[4] != '-' || text[7] != '-' || (length > 10 && text[10] != 'T'))
		return false;
	return day_number(digits(text, 4), digits(text + 5, 2), digits(text + 8, 2), days);
}

/* Reads a time with its zone, in microseconds from 2000-01-01 UTC; finer digits are cut off. */
bool
qg_epcis_time(const char *text, int length, int64 *microseconds)
{
	int hour, minute, second, zone_hour, zone_minute;
	int i = 19;
	int64 fraction = 0;
	int32 days;

	if (length < 20 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') ||
		text[13] != ':' || text[16] != ':' ||
		!day_number(digits(text, 4), digits(text + 5, 2), digits(text + 8, 2), &days))
		return false;
	hour = digits(text + 11, 2);
	minute = digits(text + 14, 2);
	second = digits(text + 17, 2);
	/* A leap second is the first of the next minute. */
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return false;
	if (text[i] == '.')
	{
		int64 unit = 100000;

		if (++i == length || !is_digit(text[i]))
			return false;
		for (; i < length && is_digit(text[i]); i++, unit /= 10)
			fraction += unit * (text[i] - '0');
	}
	*microseconds = ((int64) days * 86400 + hour * 3600 + minute * 60 + second) * 1000000 +
					fraction;
	if (i + 1 == length)
		return text[i] == 'Z' || text[i] == 'z';
	if (i + 6 != length || (text[i] != '+' && text[i] != '-') || text[i + 3] != ':')
		return false;
	zone_hour = digits(text + i + 1, 2);
	zone_minute = digits(text + i + 4, 2);
	if (zone_hour < 0 || zone_hour > 23 || zone_minute < 0 || zone_minute > 59)
		return false;
	*microseconds += (text[i] == '+' ? -1 : 1) * ((int64) zone_hour * 60 + zone_minute) * 60 *
					 1000000;
	return true;
}

/* Tells whether a text is a zone: sign, hours and minutes, at most 14:00. */
bool
qg_epcis_zone(const char *text, int length)
{
	int hour;
	int minute;

	if (length != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
		return false;
	hour = digits(text + 1, 2);
	minute = digits(text + 4, 2);
	return hour >= 0 && minute >= 0 && minute < 60 && (hour < 14 || (hour == 14 && minute == 0));
}
