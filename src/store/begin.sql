-- What every transaction begins with; how long a statement may take follows.
begin;
-- Planning through LLVM costs a hundred times what our statements cost.
set local jit = off;
select
    -- Somebody who has set a limit for waiting wants that one.
    case when current_setting('lock_timeout') = '0'
        then set_config('lock_timeout', '30s', true) end,
    -- A statement whose client was killed ends soon, and with it the locks. Not every system
    -- that a server may run on can tell; Linux can.
    case when version() like '%linux%'
        then set_config('client_connection_check_interval', '2s', true) end;
