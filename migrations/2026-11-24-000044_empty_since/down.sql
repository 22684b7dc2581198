alter table sources drop column empty_since;
