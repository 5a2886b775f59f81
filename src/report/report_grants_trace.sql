
-- report: the rights to what src/trace has

-- Tracing: the functions read the links with the extension's rights; a merchant sees none of other merchants' lots.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{trace_forward,trace_backward,trace_forward_count,trace_backward_count,trace_path,trace_path_lots,trace_cycle,trace_check}'::text[]),
  ('quality_gov_app', '{trace_forward,trace_backward,trace_forward_count,trace_backward_count,trace_path}'),
  ('quality_gov_analyst', '{trace_forward,trace_backward,trace_forward_count,trace_backward_count,trace_path}'),
  ('quality_gov_regulator', '{trace_forward,trace_backward,trace_forward_count,trace_backward_count,trace_path,trace_path_lots,trace_cycle,trace_check}'))
  AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace;

-- EPCIS: applications hand documents in and ask; what was captured all readers of the whole platform may see.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{epcis_capture,epcis_capture_next,epcis_capture_pending,epcis_submit,epcis_export,epcis_contents,epcis_events,epcis_identifiers,epcis_events_of,epcis_check}'::text[]),
  ('quality_gov_app', '{epcis_capture,epcis_capture_next,epcis_capture_pending,epcis_submit,epcis_export,epcis_contents,epcis_events,epcis_identifiers,epcis_events_of}'),
  ('quality_gov_analyst', '{epcis_export,epcis_contents,epcis_events_of}'),
  ('quality_gov_regulator', '{epcis_export,epcis_contents,epcis_events,epcis_identifiers,epcis_events_of,epcis_check}')) AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace;
INSERT INTO role_grant
SELECT r.role_name, 'SELECT', 'TABLE', o.object
FROM (VALUES
  ('quality_gov_admin', '{epcis_event,epcis_event_standing,epcis_identifier,epcis_lot,epcis_inbox}'::text[]),
  ('quality_gov_app', '{epcis_event,epcis_event_standing,epcis_identifier,epcis_lot,epcis_inbox}'),
  ('quality_gov_analyst', '{epcis_event_standing,epcis_lot}'),
  ('quality_gov_regulator', '{epcis_event,epcis_event_standing,epcis_identifier,epcis_lot,epcis_inbox}')) AS r(role_name, objects)
CROSS JOIN unnest(r.objects) AS o(object);

-- The name makes it look like a function of the identifier type.
REVOKE ALL ON FUNCTION quality_gov.gtin_alias_add(gtin, gtin, text), quality_gov.gtin_names(gtin), quality_gov.gtin_current(gtin),
  quality_gov.gtin_codes(gtin) FROM PUBLIC;
-- Supply: an administrator and an application record; a merchant records its purchases and reads its own rows.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{lot_record,lot_record_all,lot_use,lot_use_all,lot_unuse,lot_move,lot_move_all,lot_event_void,lot_item_add,
     gtin_alias_add,gtin_current,gtin_names,supplier_record,supplier_bar_add,supplier_bar_end,supplier_may,supplier_lot_add,
     supplier_lot_find,purchase_record,purchase_retire,lot_inspect,lot_findings,supplier_quality_at,supply_check,supply_missing,
     sale_attach,sale_backfill,sale_write,sale_word,sale_change,sale_record,sale_retire}'::text[]),
  ('quality_gov_app', '{lot_record,lot_record_all,lot_use,lot_use_all,lot_move,lot_move_all,lot_item_add,gtin_current,gtin_names,
     supplier_may,supplier_lot_add,supplier_lot_find,purchase_record,lot_inspect,sale_record}'),
  ('quality_gov_merchant', '{purchase_record,supply_missing}'),
  ('quality_gov_analyst', '{gtin_current,gtin_names,supplier_may,lot_findings,supplier_quality_at,supply_missing}'),
  ('quality_gov_regulator', '{gtin_current,gtin_names,supplier_may,supplier_lot_find,lot_findings,supplier_quality_at,
     supply_check,supply_missing}')) AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
UNION ALL
SELECT r.role_name, r.privilege, 'TABLE', o
FROM (VALUES
  ('quality_gov_admin', 'SELECT', '{gtin_alias,lot_link,lot_item,lot_event,lot_event_standing,lot_balance,lot_sale,sale,supplier,
     supplier_license,supplier_brand,supplier_bar,supplier_category,supplier_lot,supply_field,purchase,purchase_standing,
     lot_inspection,lot_source,lot_finding,supplier_quality,supply_incomplete}'::text[]),
  ('quality_gov_admin', 'INSERT', '{supplier_category,supply_field}'),
  ('quality_gov_admin', 'UPDATE', '{supplier_category}'),
  ('quality_gov_regulator', 'SELECT', '{gtin_alias,lot_link,lot_item,lot_event,lot_event_standing,lot_balance,lot_sale,sale,supplier,
     supplier_license,supplier_brand,supplier_bar,supplier_category,supplier_lot,supply_field,purchase,purchase_standing,
     lot_inspection,lot_source,lot_finding,supplier_quality,supply_incomplete}'),
  ('quality_gov_analyst', 'SELECT', '{lot_balance,lot_source,lot_finding,supplier_quality,supply_incomplete}'),
  ('quality_gov_merchant', 'SELECT', '{sale,purchase,purchase_standing,supply_incomplete,supply_field}')) AS r(role_name, privilege, objects)
CROSS JOIN unnest(r.objects) AS o
ON CONFLICT DO NOTHING;

-- Recalls: an administrator runs them, the authority and the producer, with its application, take the steps that are theirs.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{recall_advance,recall_reopen,recall_report_add,recall_report_template,recall_content_missing,
     recall_fact_add,recall_level_set,recall_level_at,recall_extend,recall_duties,recall_transition_at,recall_check,
     recall_keep_until,recall_retire}'::text[]),
  ('quality_gov_regulator', '{recall_advance,recall_reopen,recall_report_add,recall_report_template,recall_content_missing,
     recall_fact_add,recall_level_set,recall_level_at,recall_extend,recall_duties,recall_transition_at,recall_check,
     recall_keep_until}'),
  ('quality_gov_app', '{recall_advance,recall_reopen,recall_report_add,recall_report_template,recall_content_missing,
     recall_fact_add,recall_transition_at}'),
  ('quality_gov_merchant', '{recall_advance,recall_reopen,recall_report_add,recall_report_template,recall_content_missing,
     recall_fact_add,recall_transition_at,recall_duties}'),
  ('quality_gov_analyst', '{recall_duties,recall_transition_at}')) AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
UNION ALL
SELECT r.role_name, r.privilege, 'TABLE', o
FROM (VALUES
  ('quality_gov_admin', 'SELECT', '{recall_duty,recall_history,recall_transition,recall_report,recall_report_kind,recall_content,
     recall_fact,recall_level,recall_level_change,recall_extension,recall_duty_kind}'::text[]),
  ('quality_gov_admin', 'INSERT', '{recall_transition,recall_content}'),
  ('quality_gov_regulator', 'SELECT', '{recall_duty,recall_history,recall_state,recall_transition,recall_report,recall_report_kind,
     recall_content,recall_fact,recall_level,recall_level_change,recall_extension,recall_duty_kind}'),
  ('quality_gov_merchant', 'SELECT', '{recall_duty,recall_history,recall_state,recall_transition,recall_report_kind,recall_content,
     recall_level,recall_duty_kind}'),
  ('quality_gov_analyst', 'SELECT', '{recall_duty}')) AS r(role_name, privilege, objects)
CROSS JOIN unnest(r.objects) AS o
ON CONFLICT DO NOTHING;

-- Scope of recalls: an administrator computes and releases, a merchant sees what was sold of it by itself.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{recall_scope_compute,recall_scope_read,recall_scope_declared,recall_scope_stale,recall_scope_check,recall_release,recall_goods,recall_orders,
     recall_buyers}'::text[]),
  ('quality_gov_app', '{recall_goods,recall_orders,recall_buyers}'),
  ('quality_gov_analyst', '{recall_goods}'),
  ('quality_gov_regulator', '{recall_scope_declared,recall_scope_stale,recall_scope_check,recall_goods,recall_orders,recall_buyers}'),
  ('quality_gov_merchant', '{recall_goods,recall_orders,recall_buyers}')) AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
UNION ALL
SELECT r, 'SELECT', 'TABLE', o
FROM unnest('{quality_gov_admin,quality_gov_regulator}'::text[]) AS r
CROSS JOIN unnest('{recall_criterion,recall_spared,recall_release}'::text[]) AS o
ON CONFLICT DO NOTHING;

-- Recalls counted and told: workers of the application empty the outbox, a merchant answers for its orders and reads what it was told.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{recall_progress,recall_progress_total,recall_progress_check,recall_response_add,recall_response_void,
     recall_disposal_add,recall_disposal_void,recall_drill,recall_drill_lots,recall_drill_record,recall_cause_record,
     recall_notice_generate,recall_notice_take,recall_notice_done,recall_notice_failed,recall_notice_confirm,recall_notice_requeue,
     recall_notice_text}'::text[]),
  ('quality_gov_app', '{recall_progress,recall_progress_total,recall_response_add,recall_response_void,recall_notice_take,recall_notice_done,
     recall_notice_failed,recall_notice_confirm}'),
  ('quality_gov_analyst', '{recall_progress,recall_progress_total,recall_drill,recall_drill_lots}'),
  ('quality_gov_regulator', '{recall_progress,recall_progress_total,recall_progress_check,recall_drill,recall_drill_lots,recall_notice_text}'),
  ('quality_gov_merchant', '{recall_progress,recall_progress_total,recall_response_add,recall_response_void,recall_notice_confirm}'))
  AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
UNION ALL
SELECT r.role_name, r.privilege, 'TABLE', o
FROM (VALUES
  ('quality_gov_admin', 'SELECT', '{recall_notice,recall_notice_body,recall_notice_overview,recall_notice_rule,recall_notice_setting,
     recall_notice_template,recall_response,recall_response_standing,recall_disposal,recall_disposal_standing,recall_drill_run,
     recall_cause,recall_cause_standing,supplier_recall}'::text[]),
  ('quality_gov_admin', 'INSERT', '{recall_notice_rule,recall_notice_setting,recall_notice_template}'),
  ('quality_gov_admin', 'UPDATE', '{recall_notice_rule,recall_notice_setting,recall_notice_template}'),
  ('quality_gov_analyst', 'SELECT', '{recall_notice_overview,supplier_recall}'),
  ('quality_gov_regulator', 'SELECT', '{recall_notice,recall_notice_body,recall_notice_overview,recall_response,recall_response_standing,
     recall_disposal,recall_disposal_standing,recall_drill_run,recall_cause,recall_cause_standing,supplier_recall}'),
  ('quality_gov_merchant', 'SELECT', '{recall_notice_inbox,recall_response,recall_response_standing,supplier_recall}'))
  AS r(role_name, privilege, objects)
CROSS JOIN unnest(r.objects) AS o
ON CONFLICT DO NOTHING;
