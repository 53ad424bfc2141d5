CREATE PIPE mobile_voice FROM 'landing/mobile/' INTO mobile.voice FORMAT csv AS
SELECT
    "用户id" AS customer_id,
    "语音通话整体满意度" AS overall,
    "网络覆盖与信号强度" AS coverage,
    "语音通话清晰度" AS clarity,
    "语音通话稳定性" AS stability,
    -- 1 is yes, 2 is no.
    CAST("是否遇到过网络问题" AS integer) = 1 AS met_problem,
    -- -1 is not ticked, anything else the number of the option.
    CAST("手机没有信号" AS integer) <> -1 AS no_signal,
    CAST("有信号无法拨通" AS integer) <> -1 AS cannot_dial,
    CAST("通话过程中突然中断" AS integer) <> -1 AS cut_off,
    CAST("通话中有杂音、听不清、断断续续" AS integer) <> -1 AS noise,
    CAST("串线" AS integer) <> -1 AS crossed_lines,
    CAST("通话过程中一方听不见" AS integer) <> -1 AS one_way,
    "未接通掉话次数" AS failed_calls,
    CAST("家宽投诉" AS integer) + CAST("资费投诉" AS integer) > 0 AS complained,
    "4\5G用户" AS generation,
    "当月ARPU" AS arpu
FROM source;
