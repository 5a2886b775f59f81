-- GS1 element strings: application identifiers (AI) with their values, in brackets and as in bar codes.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION quality_gov;
SET search_path = public, quality_gov;
CREATE FUNCTION pg_temp.is_read(elements text) RETURNS boolean LANGUAGE plpgsql AS
'BEGIN PERFORM gs1_elements(elements); RETURN true; EXCEPTION WHEN invalid_text_representation THEN RETURN false; END';

-- GS1-128: in brackets or not, in whatever order they came
SELECT gs1_element_string('(01)38425876095074(17)181119(37)1') AS plain,
       gs1_element_string('(17)181119(01)38425876095074(37)1') AS sorted,
       gs1_element_string('013842587609507417181119371', true) AS bracketed;
SELECT * FROM gs1_elements('013842587609507417181119371');
SELECT * FROM gs1_elements('(17)181119(01)38425876095074(37)1');

-- the separator 0x1D stands behind what has no predefined length, unless it is the last
SELECT replace(gs1_element_string('(3103)000189(01)05412345000013(3923)2172(10)ABC&+123'), E'\x1D', '<GS>') AS plain,
       gs1_element_string(E'3103000189010541234500001339232172\x1D10ABC&+123', true) AS bracketed;
SELECT ai, value FROM gs1_elements(E'0105412345000013310300018939232172\x1D10ABC&+123');
-- a separator where none is needed, a first one, and a symbology identifier do no harm
SELECT gs1_element_string(E']C1\x1D0109506000134352\x1D10AB\x1D', true) AS bracketed,
       gs1_element_string(E']d20109506000134352', true) AS matrix;

-- every AI that is checked, and its greatest length
SELECT * FROM gs1_elements('(01)09506000134352(10)' || repeat('A', 20) || '(11)260401(13)260402(15)260403(17)260400(21)'
                           || repeat('9', 20) || '(22)' || repeat('z', 20));
SELECT * FROM gs1_elements('(01)09506000134352(235)' || repeat('T', 28));
-- others are kept as they came, whatever their values
SELECT * FROM gs1_elements('(00)123456789012345678(410)1234567890123(8200)http://a.example/x?y=(z)(90)~(4300)x%20y');
SELECT gs1_element_string('(8005)000365(00)340123450000000000(422)156(7003)2604011200(20)01') = E'003401234500000000002001'
       || E'8005000365\x1D422156\x1D70032604011200' AS predefined_first;
-- every predefined length of the General Specifications, without a separator, and there and back
SELECT plain ~ E'\x1D' AS separator, length(plain) AS length, gs1_element_string(plain, true) = bracketed AS back
FROM (SELECT string_agg(format('(%s)%s', ai, value), '' ORDER BY ai) AS bracketed, gs1_element_string(string_agg(format('(%s)%s', ai, value), '')) AS plain
      FROM (SELECT ai, CASE ai WHEN '01' THEN '09506000134352' ELSE left('260101260101260101', n) END AS value
            FROM (VALUES ('00', 18), ('01', 14), ('02', 14), ('03', 14), ('11', 6), ('12', 6), ('13', 6), ('15', 6), ('16', 6), ('17', 6), ('20', 2),
              ('3100', 6), ('3215', 6), ('3300', 6), ('3400', 6), ('3500', 6), ('3695', 6), ('410', 13), ('417', 13)) AS v (ai, n)) AS e) AS s;
SELECT gs1_element_string('(37)1(3900)1(235)1(242)1(30)1(422)1(8003)1(99)1') = E'371\x1D39001\x1D2351\x1D2421\x1D301\x1D4221\x1D80031\x1D991' AS others;
-- set 82 in full
SELECT value FROM gs1_elements('(10)!"%&''()*+,-./0123456') UNION ALL
SELECT value FROM gs1_elements('(21)789:;<=>?_AZaz');

-- a bracket of a value that would read as an identifier has a backslash before it, and so has a backslash
SELECT gs1_element_string(E'01095060001343522210A(21)B\x1D91\\(10)C\\', true) AS bracketed,
       gs1_elements('(22)10A\(21)B(91)\\\(10)C\\(11)260401') AS elements;
SELECT count(*) AS strings,
       count(*) FILTER (WHERE (SELECT array_agg(e) FROM gs1_elements(bracketed) AS e) = (SELECT array_agg(e) FROM gs1_elements(plain) AS e)) AS same,
       count(*) FILTER (WHERE gs1_element_string(bracketed) = plain) AS back
FROM (SELECT E'0109506000134352' || '91' || a || b || c || d || E'\x1D' || '10Z' AS plain
      FROM unnest('{\\,(,x,(10),(1}'::text[]) AS a, unnest('{\\,(,10,1),21)}'::text[]) AS b,
        unnest('{\\,(310,),3)}'::text[]) AS c, unnest('{\\,(,),3)}'::text[]) AS d) AS s,
  gs1_element_string(plain, true) AS bracketed;

-- identifiers and values apart give a string too
SELECT gs1_element_string(ARRAY['37', '17', '01'], ARRAY['1', '181119', '38425876095074']) AS plain,
       gs1_element_string('{21,01}', '{A(10)B,09506000134352}'::text[], true) AS bracketed,
       gs1_element_string(NULL, '{A}'::text[]) AS nothing;
SELECT gs1_element_string('{01,10}', '{09506000134352}'::text[]);
SELECT gs1_element_string('{}', '{}'::text[]);
SELECT gs1_element_string('{10}', ARRAY[NULL]);
SELECT gs1_element_string('{{10,21}}', '{{A,B}}'::text[]);
SELECT gs1_element_string('{310}', '{000189}'::text[]);
SELECT gs1_element_string('{01}', '{09506000134353}'::text[]);
SELECT gs1_element_string('{91}', ARRAY[E'A\x1D10B']);

-- a GTIN scanned by itself, or an identifier that GS1 has not assigned, is no element
SELECT gs1_elements('6901234567892');
SELECT gs1_elements(']E06901234567892');
SELECT gs1_elements('(69)01234567892');
SELECT string_agg(n, ' ') AS unassigned FROM (SELECT lpad(n::text, 2, '0') AS n FROM generate_series(0, 99) AS n) AS s
WHERE NOT EXISTS (SELECT FROM unnest(ARRAY['', '0', '00']) AS rest,
                    unnest(ARRAY['01', '260401', '0950600013435', '09506000134352', '0950600013435200', '095060001343520000']) AS value
                  WHERE pg_temp.is_read(format('(%s%s)%s', n, rest, value)));

-- reading what was written gives the same elements, and writing is settled after once
SELECT count(*) AS strings,
       count(*) FILTER (WHERE (SELECT array_agg(e ORDER BY e) FROM gs1_elements(gs1_element_string(s)) AS e) =
                              (SELECT array_agg(e ORDER BY e) FROM gs1_elements(s) AS e)) AS plain,
       count(*) FILTER (WHERE (SELECT array_agg(e ORDER BY e) FROM gs1_elements(gs1_element_string(s, true)) AS e) =
                              (SELECT array_agg(e ORDER BY e) FROM gs1_elements(s) AS e)) AS bracketed,
       count(*) FILTER (WHERE gs1_element_string(gs1_element_string(s)) = gs1_element_string(s)) AS settled
FROM (VALUES ('(01)38425876095074(17)181119(37)1'), ('(10)ABC(01)05412345000013'), ('(3103)000189(01)05412345000013(3923)2172(10)ABC&+123'),
  ('(21)x(10)y(91)z'), ('(01)09506000134352(235)t'), (E'10A\x1D21B\x1D1726040001' || '09506000134352')) AS v (s);

-- the same element twice is one; two that differ are none
SELECT gs1_element_string('(10)A(10)A(01)09506000134352', true);
SELECT gs1_element_string('(01)09506000134352(10)A(10)B');

-- wrong ones
SELECT gs1_elements('(01)09506000134353');
SELECT gs1_elements('(01)9506000134352');
SELECT gs1_elements('(01)0950600013435X');
SELECT gs1_elements('(17)261301');
SELECT gs1_elements('(17)260431');
SELECT gs1_elements('(11)270229');
SELECT gs1_elements('(15)26041');
SELECT gs1_elements('(10)');
SELECT gs1_elements('(10)' || repeat('A', 21));
SELECT gs1_elements('(22)' || repeat('A', 21));
SELECT gs1_elements('(235)' || repeat('A', 29));
SELECT gs1_elements('(91)' || repeat('A', 91));
SELECT gs1_elements('(3103)00018910A');
SELECT gs1_elements('(00)12345678901234567');
SELECT gs1_elements(E'310300018\x1D10A');
SELECT gs1_elements('(10)批次');
SELECT gs1_elements('(10)A B');
SELECT gs1_elements('(21)A#B');
SELECT gs1_elements(E'(91)A\x1D10B');
SELECT gs1_elements(E'(10)A\nB');
SELECT gs1_elements('010950600013435');
SELECT gs1_elements(E'010950600013435\x1D10A');
SELECT gs1_elements('');
SELECT gs1_elements(E'\x1D');
SELECT gs1_elements('(');
SELECT gs1_elements('()');
SELECT gs1_elements('(0');
SELECT gs1_elements('(x1)a');
SELECT gs1_elements('x');
SELECT gs1_elements('7');
SELECT gs1_elements('310');
SELECT gs1_elements('（10）A');
SELECT gs1_element_string(string_agg(format('(%s)%s', n, 'x'), '')) FROM generate_series(90, 99) AS n;
SELECT gs1_element_string(string_agg(format('(%s)x', n), '')) FROM generate_series(7000, 7064) AS n;
SELECT gs1_elements(NULL), gs1_element_string(NULL);

DROP EXTENSION quality_gov;
