-- Words of listings with what they rest on, and the rules that look for them.

SET timezone = 'Asia/Shanghai';
\set since '''2026-07-01 00:00+08'''

-- Absolute words. The statute names three; what usage hints and names may say is no hit.
SELECT quality_gov.lexicon_load('ad_absolute', '{国家级,最高级,最佳}',
  severity => 4, tags => '{absolute}', legal_basis => '广告法 art 9(3)',
  title => 'Words that advertising law forbids') AS draft \gset
SELECT quality_gov.lexicon_load('ad_absolute', '{}',
  allow => '{最佳赏味期,最佳食用期,最佳饮用期,最佳使用温度,最佳食用温度,最佳拍档}', draft => :draft,
  legal_basis => '广告绝对化用语执法指南 arts 6, 7: usage or storage hints, registered names') AS draft \gset
SELECT quality_gov.lexicon_publish('ad_absolute', effective => :since) AS version \gset

-- The longer list in circulation is practice, not law: it is watched, not enforced.
SELECT quality_gov.lexicon_load('ad_practice',
  '{第一,唯一,顶级,极致,首选,全网最低,最低价,最便宜,最先进,最优秀,最安全,独一无二,史无前例,绝无仅有,
    世界级,宇宙级,王牌,销量冠军,No.1,world''s best}',
  allow => '{第一次,第一时间,第一步,唯一码,首选项}',
  severity => 2, tags => '{absolute,practice}', legal_basis => 'practice, not law',
  title => 'Absolute words beyond the three of the statute') AS draft \gset
SELECT quality_gov.lexicon_publish('ad_practice', effective => :since) AS version \gset

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

SELECT quality_gov.listing_rule_add('ad.absolute', 'lexicon',
  '{"lexicon": "ad_absolute", "fields": ["title", "description"]}', 'deny',
  'Absolute words', '广告法 art 9(3)', 'high', effective => :since) AS version \gset
SELECT quality_gov.listing_rule_add('ad.practice', 'lexicon',
  '{"lexicon": "ad_practice", "fields": ["title", "description"]}', 'shadow',
  'Absolute words of the longer list', 'practice, not law', 'low', effective => :since) AS version \gset
SELECT quality_gov.listing_rule_add('ad.medical', 'lexicon',
  '{"lexicon": "ad_medical", "fields": ["title", "description"]}', 'deny',
  'Medical claims for food', '广告法 art 17', 'high', '{food}', :since) AS version \gset
SELECT quality_gov.listing_rule_add('imitation', 'lexicon',
  '{"lexicon": "imitation", "fields": ["title", "description"]}', 'quarantine',
  'Imitations', '产品质量法 art 53; policy of the platform', 'high', effective => :since) AS version \gset
SELECT quality_gov.listing_rule_add('seller.serious', 'watchlist', '{"watchlist": "serious_violation"}', 'warn',
  'Seller on the list of serious violations', 'Order 44/2021 art 15; policy of the platform', 'medium',
  effective => :since) AS version \gset

-- Page fields: a wish of the platform until November, law for key industrial goods from December.
SELECT quality_gov.listing_rule_add('page.producer', 'required', '{"fields": ["producer"]}', 'warn',
  'Producer named', 'policy of the platform; 产品质量法 art 27 asks for it on the label', 'low',
  effective => :since, until => '2026-12-01 00:00+08') AS version \gset
SELECT quality_gov.listing_rule_add('page.producer', 'required', '{"fields": ["producer"]}', 'quarantine',
  'Producer named', 'Order 110 (网络销售重点工业产品) art 8', 'medium', '{electronics,toys}',
  '2026-12-01 00:00+08') AS version \gset
SELECT quality_gov.listing_rule_add('page.certificate', 'required', '{"fields": ["certificate"]}', 'deny',
  'Certificate or test report', 'Order 110 (网络销售重点工业产品) art 10', 'high', '{electronics,toys}',
  '2026-12-01 00:00+08') AS version \gset

-- Food needs a licence to sell food; the entry audit, listings and orders all ask for it.
INSERT INTO quality_gov.category_license (category, license_kind, legal_basis)
VALUES ('food', 'food_business', 'policy of the platform; 电子商务法 art 27');
