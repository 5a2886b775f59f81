\echo
