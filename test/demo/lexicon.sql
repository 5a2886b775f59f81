-- The rules: those that are shipped, and words and rules of the platform's own, with what they rest on.

SET timezone = 'Asia/Shanghai';
\set since '''2026-07-01 00:00+08'''

-- What the law says is shipped: the rule set cn, each rule from the start of its law on. Electronics and toys are
-- in the catalogue of December.
SELECT count(*) AS rules FROM quality_gov.ruleset_enable('cn', effective => :since) \gset
SELECT quality_gov.regime_assign('ccc', '{electronics,toys}', 'catalogue of 2026-12', '2026-12-01 00:00+08') AS assigned \gset

-- Medical claims, of food only. Grave words and milder ones in one draft; what merely contains them is no hit.
SELECT quality_gov.lexicon_load('ad_medical',
  '{治疗,治愈,根治,疗效,抗癌,防癌,包治百病,药到病除,降血糖,降血压,降血脂,anti-cancer,cures}',
  severity => 5, categories => '{food}', tags => '{medical}', legal_basis => '广告法 art 17',
  title => 'Medical claims outside medical advertising') AS draft \gset
SELECT quality_gov.lexicon_load('ad_medical', '{消炎,止痛,杀菌,祛湿,排毒,祖传秘方,壮阳,无副作用,detox}',
  allow => '{巴氏杀菌,高温杀菌,secures,manicures,本品不能治疗疾病}',
  severity => 3, categories => '{food}', tags => '{medical}', draft => :draft) AS draft \gset
SELECT quality_gov.lexicon_publish('ad_medical', effective => :since) AS version \gset

-- Words that announce imitations.
SELECT quality_gov.lexicon_load('imitation',
  '{高仿,精仿,超A货,A货,复刻,仿牌,山寨,一比一,replica,1:1 copy,super clone,mirror quality,knockoff,first copy}',
  allow => '{A货架,复刻本}', severity => 4, tags => '{imitation}',
  legal_basis => '产品质量法 art 53 (false origin or mark)',
  title => 'Words that announce imitations') AS draft \gset
SELECT quality_gov.lexicon_load('imitation', '{原单,尾单,跟单货,专柜同款,厂货,高端定制同款,inspired by}',
  severity => 2, tags => '{imitation}', draft => :draft,
  legal_basis => 'policy of the platform') AS draft \gset
SELECT quality_gov.lexicon_publish('imitation', effective => :since) AS version \gset

SELECT quality_gov.listing_rule_add('ad.medical', 'lexicon',
  '{"lexicon": "ad_medical", "fields": ["title", "description"]}', 'deny',
  'Medical claims for food', '广告法 art 17', 'high', '{food}', :since) AS version \gset
SELECT quality_gov.listing_rule_add('imitation', 'lexicon',
  '{"lexicon": "imitation", "fields": ["title", "description"]}', 'quarantine',
  'Imitations', '产品质量法 art 53; policy of the platform', 'high', effective => :since) AS version \gset
SELECT quality_gov.listing_rule_add('seller.serious', 'watchlist', '{"watchlist": "serious_violation"}', 'warn',
  'Seller on the list of serious violations', 'Order 44/2021 art 15; policy of the platform', 'medium',
  effective => :since) AS version \gset

-- Page fields: a wish of the platform until November; from December the law's, of certified goods.
SELECT quality_gov.listing_rule_add('page.producer', 'required', '{"fields": ["producer"]}', 'warn',
  'Producer named', 'policy of the platform; 产品质量法 art 27 asks for it on the label', 'low',
  effective => :since, until => '2026-12-01 00:00+08') AS version \gset

-- Food needs a licence to sell food; the entry audit, listings and orders all ask for it.
INSERT INTO quality_gov.category_license (category, license_kind, legal_basis)
VALUES ('food', 'food_business', 'policy of the platform; 电子商务法 art 27');
