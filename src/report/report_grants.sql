
-- report: every right that anybody but the owner has, in this one place

REVOKE ALL ON ALL ROUTINES IN SCHEMA quality_gov FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA quality_gov FROM PUBLIC;

-- The identifier types belong to everybody whose tables use them; the rest of the schema is only named.
GRANT USAGE ON SCHEMA quality_gov TO PUBLIC;
DO $$
DECLARE
  routine regprocedure;
BEGIN
  FOR routine IN
    SELECT p.oid FROM pg_catalog.pg_proc p
    -- What reads tables in its owner's name has such a name by chance.
    WHERE p.pronamespace = 'quality_gov'::pg_catalog.regnamespace AND NOT p.prosecdef
      AND p.proname ~ '^(uscc|gtin|organization_code|registration_number|food_licence|ccc_number|gs1|digital_link)_'
      OR p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
      AND p.proname IN ('uscc', 'gtin', 'digital_link', 'text', 'int8', 'bigint')
  LOOP
    EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', routine);
  END LOOP;
  REVOKE ALL ON FUNCTION quality_gov.gtin_try(text) FROM PUBLIC;
END
$$;

INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  -- An administrator of quality_gov runs it; the owner of a platform's table attaches guards with it.
  ('quality_gov_admin', '{merchant_admit,merchant_admission_check,merchant_may,merchant_member_add,regulatory_import,
     lexicon_load,lexicon_publish,lexicon_scan,lexicon_hits,text_fold,listing_rule_add,listing_rule_retire,listing_check,
     listing_rule_draft,listing_rule_discard,listing_rule_publish,listing_rule_check,listing_explain,listing_judge,listing_replay,
     listing_exception_add,listing_exception_end,ruleset_asof,listing_ruleset_json,
     listing_retire,guard_listing,guard_order,guard_remove,guard_attach,guard_value_check,mapping_check,
     credit_attach,guard_listing_begin,guard_listing_before,guard_listing_after,guard_listing_end,mapping_parse,generated_sources,
     listing_audit,listing_audit_begin,listing_audit_claim,listing_audit_note,listing_audit_row,listing_audit_step,listing_audit_write,
     guard_order_row,credit_event_row,
     credit_score,credit_grade,credit_explain,credit_check,integrity_check,lexicon_check,recall_open,recall_advance,lot_find,
     regime_assign,regime_release,deal_attach,deal_retire,listing_deal_row,listing_take_down,listing_take_down_end,
     ruleset_enable,ruleset_disable,text_skeleton,text_fingerprint,fingerprint_of,fingerprint_distance,edit_distance,
     text_words,brand_key,label_grade,
     maintenance,doctor,calendar_load,ledger_record,identity_digest,
     listing_denial_drain,listing_denial_state,listing_denial_retire}'::text[]),
  ('quality_gov_admin', '{lexicon_load_from,lexicon_stage_columns,lexicon_open,lexicon_fill,lexicon_end,lexicon_retire,
     lexicon_diff,lexicon_version_require,lexicon_backtest,lexicon_backtest_source,lexicon_scan_version,
     listing_notice_add,listing_notice_term,lexicon_hits,lexicon_images,lexicon_compile}'),
  -- An application asks and applies; it decides nothing by itself.
  ('quality_gov_app', '{merchant_admit,merchant_admission_check,merchant_may,lexicon_scan,lexicon_hits,text_fold,listing_check,
     listing_explain,credit_score,credit_grade,credit_explain,lot_find,identity_digest}'),
  ('quality_gov_analyst', '{credit_score,credit_grade,credit_explain,lexicon_scan,lexicon_hits,text_fold}'),
  ('quality_gov_regulator', '{credit_score,credit_grade,credit_explain,merchant_may,merchant_admission_check,
     listing_check,listing_rule_check,listing_explain,listing_judge,listing_replay,ruleset_asof,listing_ruleset_json,
     credit_check,integrity_check}'),
  -- Models of credit: an administrator drafts and publishes, who judges by the scores reads.
  ('quality_gov_admin', '{credit_model_draft,credit_model_document,credit_model_publish,credit_model_retire,
     credit_model_discard,credit_model_check}'),
  ('quality_gov_analyst', '{credit_model_document}'),
  ('quality_gov_regulator', '{credit_model_document,credit_model_check}')) AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
UNION
-- Pure or self-limiting functions that views and policies call with the reader's own rights.
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM unnest('{quality_gov_admin,quality_gov_app,quality_gov_analyst,quality_gov_regulator,quality_gov_merchant}'::text[])
  AS r(role_name)
JOIN pg_catalog.pg_proc p ON p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
  AND p.proname IN ('session_has_role', 'session_reads_all', 'session_administers', 'name_key', 'category_covers', 'duty_deadline',
                    'credit_tally', 'credit_tally_at', 'workday_add', 'workdays_between',
                    'is_workday', 'deadline_at', 'library_version', 'listing_params_valid');

INSERT INTO role_grant
SELECT r.role_name, r.privilege, 'TABLE', o
FROM (VALUES
  ('quality_gov_analyst', 'SELECT', '{credit_overview,credit_grade_history,listing_overview,recall_overview,duty_due,
     loop_overview,merchant_public,merchant_verification_due,listing_held,
     listing_denial_overview}'::text[]),
  ('quality_gov_regulator', 'SELECT', '{credit_overview,credit_grade_history,listing_overview,recall_overview,duty_due,
     loop_overview,merchant_public,merchant_verification_due,listing_held,merchant_identity_report,guard,
     listing_denial,listing_denial_overview,
     session_merchant,merchant,merchant_license,merchant_restriction,merchant_admission,merchant_verification,
     regulatory_record,watchlist,watchlist_entry,listing_rule,listing_kind,listing_rule_period,listing_ruleset,listing_exception,listing_decision,listing_finding,lexicon,lexicon_term,
     credit_event,credit_model,credit_indicator,credit_severity,credit_grade_band,duty_rule,legal_figure,
     listing_regime,category_regime,product_certificate,product_certificate_state,product_report,product_label,
     brand,brand_authorization,absolute_term_context,listing_taken_down,ruleset_rule,
     lot,recall,recall_scope,recall_step,ledger_entry}'),
  ('quality_gov_admin', 'SELECT', '{credit_overview,credit_grade_history,listing_overview,recall_overview,duty_due,
     loop_overview,merchant_public,merchant_verification_due,listing_held,merchant_identity_report,guard,
     listing_denial,listing_denial_overview,
     session_merchant,merchant,merchant_license,merchant_restriction,merchant_admission,merchant_verification,
     merchant_member,merchant_person,merchant_turnover,category_license,merchant_field,regulatory_record,watchlist,watchlist_effect,
     watchlist_entry,listing_rule,listing_kind,listing_rule_period,listing_ruleset,listing_exception,listing_decision,listing_finding,lexicon,lexicon_term,credit_event,credit_model,
     credit_indicator,credit_severity,credit_grade_band,credit_grade_change,duty_rule,legal_figure,lot,recall,
     listing_regime,category_regime,product_certificate,product_certificate_state,product_report,product_label,
     brand,brand_authorization,absolute_term_context,listing_deal,listing_taken_down,ruleset_rule,
     recall_scope,recall_step,recall_state,ledger_entry,listing_audit_run,maintenance_task,doctor_check,role_grant,calendar,
     calendar_day,calendar_year}'),
  ('quality_gov_admin', 'INSERT', '{merchant_license,merchant_verification,merchant_restriction,merchant_turnover,
     category_license,merchant_field,watchlist,watchlist_effect,watchlist_entry,lot,listing_regime,product_certificate,
     product_certificate_state,product_report,product_label,brand,brand_authorization,absolute_term_context,listing_deal}'),
  ('quality_gov_admin', 'UPDATE', '{merchant,merchant_license,merchant_restriction,merchant_turnover,category_license,
     watchlist_entry,lot,product_certificate,product_report,product_label,brand,brand_authorization}'),
  ('quality_gov_app', 'SELECT', '{merchant_public}'),
  ('quality_gov_app', 'SELECT', '{listing_notice_public}'),
  ('quality_gov_merchant', 'SELECT', '{listing_notice_public}'),
  ('quality_gov_analyst', 'SELECT', '{listing_notice_public}'),
  ('quality_gov_regulator', 'SELECT', '{listing_notice_public,listing_notice_due,listing_notice,listing_transition}'),
  ('quality_gov_admin', 'SELECT', '{listing_notice_public,listing_notice_due,listing_notice,listing_transition}'),
  ('quality_gov_admin', 'INSERT', '{listing_transition}'),
  ('quality_gov_merchant', 'SELECT', '{merchant_public,credit_overview,credit_grade_history,listing_held,
     recall_overview,merchant_verification_due,session_merchant,listing_decision,listing_finding,listing_denial,
     merchant_restriction}'),
  ('quality_gov_analyst', 'SELECT', '{credit_model,credit_indicator,credit_severity,credit_grade_band}'))
  AS r(role_name, privilege, objects)
CROSS JOIN unnest(r.objects) AS o;

-- Back-tests, reviews and appeals; a merchant and its application state their case, an administrator decides.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{listing_backtest,listing_rule_check,listing_source_sql,review_is_violation,
     listing_statement,listing_denial_statement,listing_appeal_file,listing_denial_appeal,listing_appeal_request_person,
     listing_appeal_withdraw,listing_appeal_decide,listing_appeal_close,listing_review_assign,listing_review_return,
     listing_review_decide,listing_review_close,listing_status_set,listing_status_write}'::text[]),
  ('quality_gov_app', '{listing_statement,listing_denial_statement,listing_appeal_file,listing_denial_appeal,
     listing_appeal_request_person,listing_appeal_withdraw}'),
  ('quality_gov_merchant', '{listing_statement,listing_denial_statement,listing_appeal_file,listing_denial_appeal,
     listing_appeal_request_person,listing_appeal_withdraw}'),
  ('quality_gov_regulator', '{listing_statement,listing_denial_statement}')) AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
UNION ALL
SELECT r.role_name, r.privilege, 'TABLE', o
FROM (VALUES
  ('quality_gov_admin', 'SELECT', '{listing_queue,listing_review,listing_appeal,listing_appeal_step,listing_appeal_state,
     listing_template,listing_translation}'::text[]),
  ('quality_gov_admin', 'INSERT', '{listing_template,listing_translation}'),
  ('quality_gov_admin', 'UPDATE', '{listing_template,listing_translation}'),
  ('quality_gov_regulator', 'SELECT', '{listing_queue,listing_review,listing_appeal,listing_appeal_step,
     listing_appeal_state,listing_template,listing_translation}'),
  ('quality_gov_merchant', 'SELECT', '{listing_appeal,listing_appeal_step,listing_appeal_state}'))
  AS r(role_name, privilege, objects)
CROSS JOIN unnest(r.objects) AS o
ON CONFLICT DO NOTHING;

-- Canonical JSON tells nothing but what it is given.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM unnest('{quality_gov_admin,quality_gov_app,quality_gov_analyst,quality_gov_regulator,quality_gov_merchant}'::text[])
  AS r(role_name)
CROSS JOIN unnest('{jcs}'::text[]) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
ON CONFLICT DO NOTHING;
-- Statistics of scores read nothing but their arguments.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM unnest('{quality_gov_admin,quality_gov_analyst,quality_gov_regulator}'::text[]) AS r(role_name)
JOIN pg_catalog.pg_proc p ON p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
  AND p.proname IN ('credit_auc', 'credit_gini', 'credit_ks', 'credit_bins', 'credit_bin_counts', 'credit_psi', 'credit_woe', 'credit_iv');
-- Repair: the authority decides, everybody concerned reads. Supervision is the regulator's alone.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{repair_terms,repair_terms_all,repair_class_of,watchlist_check}'::text[]),
  ('quality_gov_app', '{repair_terms}'),
  ('quality_gov_merchant', '{repair_terms,repair_terms_all}'),
  ('quality_gov_regulator', '{repair_terms,repair_terms_all,repair_class_of,watchlist_check,supervision_class_set,supervision_import,supervision_class,
     supervision_check}')) AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
UNION ALL
SELECT r.role_name, r.privilege, 'TABLE', o
FROM (VALUES
  ('quality_gov_admin', 'SELECT', '{repair_overview,repair_class,repair_ground}'::text[]),
  ('quality_gov_merchant', 'SELECT', '{repair_overview,repair_class}'),
  ('quality_gov_regulator', 'SELECT', '{repair_overview,repair_class,repair_ground,supervision_record,supervision_intensity,
     supervision_overview}'),
  ('quality_gov_regulator', 'INSERT', '{supervision_intensity}'),
  ('quality_gov_regulator', 'UPDATE', '{supervision_intensity}')) AS r(role_name, privilege, objects)
CROSS JOIN unnest(r.objects) AS o
ON CONFLICT DO NOTHING;

-- Credit events: an application records them and takes its own back; who attaches a table needs its triggers.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{credit_event_record,credit_event_record_all,credit_event_begin,credit_event_end}'::text[]),
  ('quality_gov_app', '{credit_event_record,credit_event_record_all}')) AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
UNION ALL
SELECT r, 'EXECUTE', 'FUNCTION', 'quality_gov.credit_event_void(text,bigint,timestamptz)'::pg_catalog.regprocedure::text
FROM unnest('{quality_gov_admin,quality_gov_app}'::text[]) AS r
ON CONFLICT DO NOTHING;

-- Caches must hear of rows that replication or a restore without triggers brings; nothing else fires there.
DO $$
DECLARE
  policy record;
BEGIN
  FOR policy IN SELECT t.tgrelid::pg_catalog.regclass AS relation, t.tgname FROM pg_catalog.pg_trigger t
                WHERE t.tgfoid = 'quality_gov.cache_invalidate()'::pg_catalog.regprocedure LOOP
    EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', policy.relation, policy.tgname);
  END LOOP;
END
$$;

-- Protected tables: their owner, as an administrator, protects them. The values of sensitive columns nobody may read here.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{ledger_protect,ledger_unprotect,ledger_baseline,ledger_detach,ledger_erase,ledger_row_image,ledger_row_subject,
     ledger_protect_partitions,ledger_protected_note,ledger_trigger_add,ledger_baseline_part,ledger_label,ledger_keep,ledger_row_enter,
     ledger_keys,ledger_key_digest,ledger_partition_leave,ledger_truncate,ledger_row,ledger_begin,ledger_refuse}'::text[]),
  ('quality_gov_regulator', '{ledger_row_image,ledger_row_subject}')) AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
UNION ALL
SELECT r, 'SELECT', 'TABLE', 'ledger_protected' FROM unnest('{quality_gov_admin,quality_gov_regulator}'::text[]) r;

-- Sealing is an administrator's; who supervises verifies for himself, with proofs and tiles.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{ledger_seal,ledger_size,ledger_leaf_of,ledger_leaf_data,ledger_canonical,ledger_inclusion_proof,ledger_consistency_proof,ledger_tile_data,
     ledger_bundle,ledger_verify,ledger_check,merkle_leaf_hash,merkle_root,merkle_root_of_hashes,merkle_verify_inclusion,merkle_verify_consistency}'::text[]),
  ('quality_gov_regulator', '{ledger_size,ledger_leaf_of,ledger_leaf_data,ledger_canonical,ledger_inclusion_proof,ledger_consistency_proof,ledger_tile_data,
     ledger_bundle,ledger_verify,merkle_leaf_hash,merkle_root,merkle_root_of_hashes,merkle_verify_inclusion,merkle_verify_consistency}'),
  ('quality_gov_analyst', '{ledger_size,ledger_leaf_of,ledger_inclusion_proof,ledger_consistency_proof,ledger_tile_data,ledger_verify,
     merkle_leaf_hash,merkle_root,merkle_root_of_hashes,merkle_verify_inclusion,merkle_verify_consistency}')) AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
UNION ALL
SELECT r.role_name, 'SELECT', 'TABLE', o
FROM (VALUES
  ('quality_gov_admin', '{ledger_seal,ledger_leaf,ledger_tile,ledger_place,ledger_decision}'::text[]),
  ('quality_gov_regulator', '{ledger_seal,ledger_leaf,ledger_tile,ledger_place,ledger_decision}'),
  ('quality_gov_analyst', '{ledger_seal}')) AS r(role_name, objects)
CROSS JOIN unnest(r.objects) AS o;

-- Checkpoints and receipts: a regulator may witness and sign; ledger_receipt() decides who gets which; anybody verifies.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{ledger_origin,ledger_origin_set,ledger_key_add,ledger_key_retire,ledger_vkeys,ledger_checkpoint,ledger_checkpoint_body,
     ledger_checkpoint_add,ledger_consistency_proof,ledger_receipt,ledger_receipt_verify}'::text[]),
  ('quality_gov_regulator', '{ledger_vkeys,ledger_checkpoint,ledger_checkpoint_body,ledger_checkpoint_add,ledger_consistency_proof,ledger_receipt,
     ledger_receipt_verify}'),
  ('quality_gov_app', '{ledger_vkeys,ledger_receipt,ledger_receipt_verify}'),
  ('quality_gov_merchant', '{ledger_vkeys,ledger_receipt,ledger_receipt_verify}'),
  ('quality_gov_analyst', '{ledger_vkeys,ledger_receipt_verify}')) AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
UNION ALL
SELECT r.role_name, r.privilege, 'TABLE', o
FROM (VALUES
  ('quality_gov_admin', 'SELECT', '{ledger_log,ledger_key,ledger_signature,ledger_anchor,merchant_receipt_kind}'::text[]),
  ('quality_gov_admin', 'INSERT', '{merchant_receipt_kind}'),
  ('quality_gov_regulator', 'SELECT', '{ledger_log,ledger_key,ledger_signature,ledger_anchor,merchant_receipt_kind}'),
  ('quality_gov_analyst', 'SELECT', '{ledger_anchor}'),
  ('quality_gov_merchant', 'SELECT', '{ledger_anchor}')) AS r(role_name, privilege, objects)
CROSS JOIN unnest(r.objects) AS o
ON CONFLICT DO NOTHING;

-- Violations and sanctions; a merchant and its application state their case, an administrator records, imposes and decides.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{violation_record,violation_revoke,violation_points,violation_appeal_file,sanction_appeal_file,
     violation_appeal_request_person,violation_appeal_withdraw,violation_appeal_decide,sanction_impose,sanction_lift,
     sanction_publish,sanction_report_add,sanction_statement,sanction_check}'::text[]),
  ('quality_gov_app', '{violation_points,violation_appeal_file,sanction_appeal_file,violation_appeal_request_person,
     violation_appeal_withdraw,sanction_statement}'),
  ('quality_gov_merchant', '{violation_points,violation_appeal_file,sanction_appeal_file,violation_appeal_request_person,
     violation_appeal_withdraw,sanction_statement}'),
  ('quality_gov_analyst', '{violation_points}'),
  ('quality_gov_regulator', '{violation_points,sanction_statement,sanction_check}')) AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
UNION ALL
SELECT r.role_name, r.privilege, 'TABLE', o
FROM (VALUES
  ('quality_gov_admin', 'SELECT', '{violation_overview,violation_warning_open,sanction_overview,sanction_publication_due,
     sanction_report_due,sanction_public,violation,violation_void,violation_warning,violation_track,violation_appeal,
     violation_appeal_step,violation_appeal_state,sanction,sanction_report,sanction_ladder,sanction_template}'::text[]),
  ('quality_gov_admin', 'INSERT', '{violation_track,sanction_ladder,sanction_template}'),
  ('quality_gov_admin', 'UPDATE', '{sanction_template}'),
  ('quality_gov_regulator', 'SELECT', '{violation_overview,violation_warning_open,sanction_overview,sanction_publication_due,
     sanction_report_due,sanction_public,violation,violation_void,violation_warning,violation_track,violation_appeal,
     violation_appeal_step,violation_appeal_state,sanction,sanction_report,sanction_ladder,sanction_template}'),
  ('quality_gov_analyst', 'SELECT', '{violation_overview,sanction_overview,sanction_publication_due,sanction_public}'),
  ('quality_gov_app', 'SELECT', '{sanction_public}'),
  ('quality_gov_merchant', 'SELECT', '{violation_overview,violation_warning_open,sanction_overview,sanction_public,violation,
     violation_void,violation_warning,violation_track,violation_appeal,violation_appeal_step,violation_appeal_state,sanction,
     sanction_ladder}')) AS r(role_name, privilege, objects)
CROSS JOIN unnest(r.objects) AS o
ON CONFLICT DO NOTHING;

-- Passports: an administrator registers keys, applications and merchants bring what is signed, each reads for its audience.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{passport_key_add,passport_key_goods_set,passport_key_end,passport_key_revoke,passport_signer,passport_fields,
     passport_draft,passport_add,passport_issue,passport_issue_all,passport_version,passport_revoke,passport_suspend,
     passport_reinstate,passport_lot_assign,passport_find,passport_fault,passport_claims,passport_export,passport_check}'::text[]),
  ('quality_gov_app', '{passport_fields,passport_draft,passport_add,passport_issue,passport_issue_all,passport_version,passport_find,
     passport_fault,passport_claims,passport_export}'),
  ('quality_gov_merchant', '{passport_fields,passport_draft,passport_add,passport_key_end,passport_key_revoke,passport_revoke,
     passport_suspend,passport_reinstate,passport_find,passport_fault,passport_claims,passport_export}'),
  ('quality_gov_analyst', '{passport_fields,passport_find,passport_fault,passport_claims,passport_export}'),
  ('quality_gov_regulator', '{passport_fields,passport_find,passport_fault,passport_claims,passport_export,passport_check}'))
  AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
UNION
-- These tell nothing but what they are given.
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM unnest('{quality_gov_admin,quality_gov_app,quality_gov_analyst,quality_gov_regulator,quality_gov_merchant}'::text[])
  AS r(role_name)
JOIN pg_catalog.pg_proc p ON p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
  AND p.proname IN ('sm3', 'signature_verify', 'public_key_read', 'multikey', 'multibase_encode', 'multibase_decode',
                    'passport_proof_verify', 'passport_proof_bytes', 'passport_digest')
UNION ALL
SELECT r.role_name, r.privilege, 'TABLE', o
FROM (VALUES
  ('quality_gov_admin', 'SELECT', '{passport_key,passport_key_goods,passport_key_revocation,passport,passport_event,passport_lot,
     passport_field,passport_category}'::text[]),
  ('quality_gov_admin', 'INSERT', '{passport_field,passport_category}'),
  ('quality_gov_admin', 'UPDATE', '{passport_field,passport_category}'),
  ('quality_gov_regulator', 'SELECT', '{passport_key,passport_key_goods,passport_key_revocation,passport,passport_event,passport_lot,
     passport_field,passport_category,passport_claim}')) AS r(role_name, privilege, objects)
CROSS JOIN unnest(r.objects) AS o
ON CONFLICT DO NOTHING;

-- Codes and scans: an application and a merchant make codes of the merchant's lots and scan; who supervises reads what was scanned.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{passport_verify,passport_linkset,passport_link_add,passport_link_end,code_issue,code_register,code_revoke,
     code_check,code_findings,passport_scan_retire,passport_scan_check}'::text[]),
  ('quality_gov_app', '{passport_verify,passport_linkset,code_issue,code_register,code_revoke,code_check}'),
  ('quality_gov_merchant', '{passport_verify,passport_linkset,code_issue,code_register,code_revoke,code_check,code_findings}'),
  ('quality_gov_analyst', '{passport_verify,passport_linkset,code_check,code_findings}'),
  ('quality_gov_regulator', '{passport_verify,passport_linkset,code_check,code_findings,passport_scan_check}')) AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace
UNION ALL
SELECT r.role_name, r.privilege, 'TABLE', o
FROM (VALUES
  ('quality_gov_admin', 'SELECT', '{code_batch,code_revocation,code_finding,passport_scan,passport_scan_first,passport_scan_overview,
     passport_status,passport_resolver,passport_link,scan_policy}'::text[]),
  ('quality_gov_admin', 'INSERT', '{passport_resolver,scan_policy}'),
  ('quality_gov_admin', 'UPDATE', '{scan_policy}'),
  ('quality_gov_regulator', 'SELECT', '{code_batch,code_revocation,code_finding,passport_scan,passport_scan_first,passport_scan_overview,
     passport_status,passport_resolver,passport_link,scan_policy}'),
  ('quality_gov_analyst', 'SELECT', '{code_finding,passport_scan_overview}'),
  ('quality_gov_app', 'SELECT', '{passport_status}'),
  ('quality_gov_merchant', 'SELECT', '{code_finding,passport_scan_overview,passport_status}')) AS r(role_name, privilege, objects)
CROSS JOIN unnest(r.objects) AS o
ON CONFLICT DO NOTHING;

-- Every domain has added its tasks and checks by now.
CREATE TRIGGER maintenance_task_builtin BEFORE INSERT OR UPDATE OR DELETE ON maintenance_task
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();
CREATE TRIGGER ledger_decision_builtin BEFORE INSERT OR UPDATE OR DELETE ON ledger_decision
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();
CREATE TRIGGER doctor_check_builtin BEFORE INSERT OR UPDATE OR DELETE ON doctor_check
  FOR EACH ROW EXECUTE FUNCTION builtin_protect();

-- Credit: credit_standings() shows a session the merchants that are its to see; the views call it with the reader's rights.
INSERT INTO role_grant
SELECT r.role_name, 'EXECUTE', 'FUNCTION', p.oid::pg_catalog.regprocedure::text
FROM (VALUES
  ('quality_gov_admin', '{credit_standings,credit_history,credit_what_if,credit_path,credit_statement,credit_shadow,credit_shadow_summary,credit_retire}'::text[]),
  ('quality_gov_app', '{credit_history,credit_what_if,credit_path,credit_statement}'),
  ('quality_gov_analyst', '{credit_standings,credit_history,credit_what_if,credit_path,credit_shadow,credit_shadow_summary}'),
  ('quality_gov_regulator', '{credit_standings,credit_history,credit_what_if,credit_path,credit_statement,credit_shadow,credit_shadow_summary}'),
  ('quality_gov_merchant', '{credit_standings,credit_history,credit_what_if,credit_path,credit_statement}')) AS r(role_name, routines)
CROSS JOIN unnest(r.routines) AS want(proname)
JOIN pg_catalog.pg_proc p ON p.proname = want.proname AND p.pronamespace = 'quality_gov'::pg_catalog.regnamespace;
