-- Messages of citizens to their government, in Chinese: what they say becomes x.feedback, how the offices answered
-- becomes o.cases. The same file feeds two pipes. 留言用户, the account, is the key that makes persons of messages.
--
-- Times are written 2019/4/5 9:32:09 or 2019-04-05 09:32:09, in China Standard Time: the parts are padded to ISO 8601.
-- A time that is neither is rejected with its row.

CREATE PIPE gov_replies_said FROM 'landing/gov/replies/' INTO x.feedback
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT
    "留言编号" AS feedback_id,
    'wenzheng' AS source_system,
    'complaint' AS kind,
    'web' AS channel,
    'answered' AS touchpoint,
    'member_no' AS key_type,
    trim("留言用户") AS key_value,
    concat_ws(chr(10), trim("留言主题"), trim("留言详情")) AS comment,
    'zh' AS language,
    split_part(replace(trim("留言时间"), '/', '-'), '-', 1)
        || '-' || lpad(split_part(replace(trim("留言时间"), '/', '-'), '-', 2), 2, '0')
        || '-' || lpad(split_part(split_part(replace(trim("留言时间"), '/', '-'), '-', 3), ' ', 1), 2, '0')
        || 'T' || lpad(split_part(trim("留言时间"), ' ', 2), 8, '0') || '+08:00' AS occurred_at
FROM source;

CREATE PIPE gov_replies_answered FROM 'landing/gov/replies/' INTO o.cases
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT
    "留言编号" AS case_id,
    'wenzheng' AS source_system,
    'member_no' AS key_type,
    trim("留言用户") AS key_value,
    split_part(replace(trim("留言时间"), '/', '-'), '-', 1)
        || '-' || lpad(split_part(replace(trim("留言时间"), '/', '-'), '-', 2), 2, '0')
        || '-' || lpad(split_part(split_part(replace(trim("留言时间"), '/', '-'), '-', 3), ' ', 1), 2, '0')
        || 'T' || lpad(split_part(trim("留言时间"), ' ', 2), 8, '0') || '+08:00' AS opened_at,
    split_part(replace(trim("答复时间"), '/', '-'), '-', 1)
        || '-' || lpad(split_part(replace(trim("答复时间"), '/', '-'), '-', 2), 2, '0')
        || '-' || lpad(split_part(split_part(replace(trim("答复时间"), '/', '-'), '-', 3), ' ', 1), 2, '0')
        || 'T' || lpad(split_part(trim("答复时间"), ' ', 2), 8, '0') || '+08:00' AS first_response_at,
    trim("留言主题") AS topic,
    'answered' AS status
FROM source;

CREATE PIPE gov_votes FROM 'landing/gov/votes/' INTO x.feedback
FORMAT csv OPTIONS (header 'true', delimiter ',') ON CALL AS
SELECT
    "留言编号" AS feedback_id,
    'wenzheng' AS source_system,
    'complaint' AS kind,
    'web' AS channel,
    'voted' AS touchpoint,
    'member_no' AS key_type,
    trim("留言用户") AS key_value,
    concat_ws(chr(10), trim("留言主题"), trim("留言详情")) AS comment,
    'zh' AS language,
    split_part(replace(trim("留言时间"), '/', '-'), '-', 1)
        || '-' || lpad(split_part(replace(trim("留言时间"), '/', '-'), '-', 2), 2, '0')
        || '-' || lpad(split_part(split_part(replace(trim("留言时间"), '/', '-'), '-', 3), ' ', 1), 2, '0')
        || 'T' || lpad(split_part(trim("留言时间"), ' ', 2), 8, '0') || '+08:00' AS occurred_at,
    '{"likes":' || trim("点赞数") || ',"dislikes":' || trim("反对数") || '}' AS attributes
FROM source;
