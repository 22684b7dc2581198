drop view alert_episodes;
drop view threshold_hot;
