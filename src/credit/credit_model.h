/*
 * credit_model.h
 *		Credit models in memory, and what they make of sums: points, score and grade.
 */
#ifndef QG_CREDIT_MODEL_H
#define QG_CREDIT_MODEL_H

#include "credit/credit.h"

#define QG_KIND_RATE 0
#define QG_KIND_POINTS 1
#define QG_KIND_FLAG 2

/* A row of credit_indicator. */
typedef struct QgIndicator
{
	char *name;
	int length; /* of the name */
	char *title;
	char *dimension;
	int kind;
	int64 weight;	 /* hundredths of a point */
	int64 half_life; /* microseconds, QG_NO_DECAY for none */
	int window_days; /* 0 for no end */
	double prior_good;
	double prior_bad;
	double tolerated;
	double point_cost;
	double minimum;
	char missing; /* first letter of prior, full or none */
	double cap;	  /* infinity for none */
	char *veto_grade;
	int veto; /* band that is the best while the flag is up, -1 for none */
} QgIndicator;

/* A row of credit_grade_band; bands stand best first. */
typedef struct QgBand
{
	char *grade;
	int64 floor; /* hundredths of a point */
} QgBand;

/* A model version. */
typedef struct QgModel
{
	char *model;
	int version;
	bool in_force;	   /* active or retired, over the period */
	TimestampTz since; /* period of effect */
	TimestampTz until;
	int64 hysteresis; /* hundredths of a point */
	int nindicators;
	QgIndicator *indicators;
	int nbands;
	QgBand *bands;
} QgModel;

/* What one indicator comes to. */
typedef struct QgPoints
{
	int64 points; /* hundredths */
	bool below;	  /* a rate below its minimum volume */
	bool up;	  /* a flag that is up */
} QgPoints;

extern const QgModel *qg_credit_model_at(TimestampTz at);
extern const QgModel *qg_credit_model_among(const QgModel **models, int count, TimestampTz at);
extern const QgModel *qg_credit_model_get(const char *model, int version);
extern int qg_credit_models(const QgModel ***models);
extern void qg_credit_instant_require(TimestampTz at);
extern const QgModel *qg_credit_model_require(const QgModel **models, int count, TimestampTz at);
extern QgPoints qg_credit_points_of(const QgIndicator *indicator, const QgSum *sum, TimestampTz at,
									double *good, double *bad);
extern char *qg_credit_reason(const QgIndicator *indicator, double good, double bad,
							  const QgPoints *points);
extern QgPoints qg_credit_points(const QgIndicator *indicator, double good, double bad);
extern int qg_credit_grade(const QgModel *model, int64 score, const char *previous, int veto);

#endif
