-- The front-end database of civil affairs (docs/adapters/civil_affairs.md, section 2).
-- Base tables stand in schema ca; the reader sees schema exchange alone.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA ca;
CREATE SCHEMA exchange;

CREATE TABLE ca.marriage (
    row_id bigint NOT NULL, biz_id varchar(60) NOT NULL, row_state char(1) NOT NULL,
    upd_time timestamp(3) NOT NULL, dept_code varchar(20) NOT NULL,
    cert_no varchar(60), op_type varchar(2), op_type_desc varchar(60), op_date date,
    name_man varchar(60), cert_num_man varchar(18), nation_man varchar(3), folk_man varchar(2),
    birth_man date,
    name_woman varchar(60), cert_num_woman varchar(18), nation_woman varchar(3),
    folk_woman varchar(2), birth_woman date,
    address varchar(200), dept_name varchar(80), reg_state char(1),
    marry_status_man varchar(2), marry_status_woman varchar(2)
);
CREATE TABLE ca.cremation (
    row_id bigint NOT NULL, biz_id varchar(60) NOT NULL, row_state char(1) NOT NULL,
    upd_time timestamp(3) NOT NULL, dept_code varchar(20) NOT NULL,
    name varchar(60), id_card varchar(18), sex char(1), death_time timestamp(3),
    cremation_time timestamp(3), facility varchar(80), address varchar(200),
    handler_name varchar(60), handler_phone varchar(20)
);
CREATE TABLE ca.assistance (
    row_id bigint NOT NULL, biz_id varchar(60) NOT NULL, row_state char(1) NOT NULL,
    upd_time timestamp(3) NOT NULL, dept_code varchar(20) NOT NULL,
    name varchar(60), id_card varchar(18), category char(1), valid_from date, valid_to date,
    assist_state char(1), monthly_amount numeric(10, 2), family_no varchar(30),
    family_size integer, address varchar(200)
);
CREATE TABLE ca.adoption (
    row_id bigint NOT NULL, biz_id varchar(60) NOT NULL, row_state char(1) NOT NULL,
    upd_time timestamp(3) NOT NULL, dept_code varchar(20) NOT NULL,
    child_type char(1), baby_name varchar(60), baby_cert_num varchar(18), baby_sex char(1),
    baby_birth date, adopt_no varchar(30),
    adopt_name_man varchar(60), adopt_cert_num_man varchar(18),
    adopt_name_woman varchar(60), adopt_cert_num_woman varchar(18),
    op_type varchar(2), op_date date, guardian_name varchar(60)
);
CREATE TABLE ca.sync_state (
    view_name varchar(60) PRIMARY KEY, synced_to timestamp(3) NOT NULL, row_count bigint NOT NULL
);

CREATE VIEW exchange.v_marriage AS SELECT * FROM ca.marriage;
CREATE VIEW exchange.v_cremation AS SELECT * FROM ca.cremation;
CREATE VIEW exchange.v_assistance AS SELECT * FROM ca.assistance;
CREATE VIEW exchange.v_adoption AS SELECT * FROM ca.adoption;
CREATE VIEW exchange.v_sync_state AS SELECT * FROM ca.sync_state;

CREATE FUNCTION ca.admit(reader text, secret text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L CONNECTION LIMIT 4', reader, secret);
    EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', reader);
    -- Nothing by default: no temporary tables, no other database, no connection for anybody else.
    REVOKE ALL ON DATABASE qzk, postgres, template1 FROM PUBLIC;
    EXECUTE format('GRANT CONNECT ON DATABASE qzk TO %I', reader);
    EXECUTE format('GRANT USAGE ON SCHEMA exchange TO %I', reader);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA exchange TO %I', reader);
END $$;

-- After the rows: one sort each instead of a million insertions.
CREATE FUNCTION ca.finish(now_local timestamp) RETURNS void LANGUAGE plpgsql AS $$
DECLARE source text; counted bigint;
BEGIN
    FOREACH source IN ARRAY ARRAY['marriage', 'cremation', 'assistance', 'adoption'] LOOP
        EXECUTE format('ALTER TABLE ca.%I ADD PRIMARY KEY (row_id)', source);
        EXECUTE format('CREATE INDEX ON ca.%I (upd_time, row_id)', source);
        EXECUTE format('CREATE INDEX ON ca.%I (biz_id)', source);
        EXECUTE format('ANALYZE ca.%I', source);
        EXECUTE format('SELECT count(*) FROM ca.%I', source) INTO counted;
        INSERT INTO ca.sync_state VALUES ('v_' || source, now_local, counted);
    END LOOP;
    CREATE INDEX ON ca.marriage (cert_num_man);
    CREATE INDEX ON ca.marriage (cert_num_woman);
    CREATE INDEX ON ca.cremation (id_card);
    CREATE INDEX ON ca.assistance (id_card);
    CREATE INDEX ON ca.adoption (baby_cert_num);
END $$;

CREATE FUNCTION ca.has_row(source text, wanted bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE found_it boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM ca.%I WHERE row_id = $1)', source)
        INTO found_it USING wanted;
    RETURN found_it;
END $$;

-- A stamp of a line, remembered so that `restore` can put it back.
CREATE TABLE ca.original (
    source text, row_id bigint, row_state char(1), upd_time timestamp(3),
    PRIMARY KEY (source, row_id)
);
CREATE FUNCTION ca.touch(source text, wanted bigint, state text, at timestamp)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO ca.original SELECT $1, row_id, row_state, upd_time FROM ca.%I '
        'WHERE row_id = $2 ON CONFLICT DO NOTHING', source) USING source, wanted;
    EXECUTE format('UPDATE ca.%I SET row_state = coalesce($2, row_state), upd_time = $3 '
        'WHERE row_id = $1', source) USING wanted, state, at;
END $$;

CREATE FUNCTION ca.copy_row(source text, wanted bigint, suffix text, at timestamp)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE new_id bigint;
BEGIN
    EXECUTE format('SELECT max(row_id) + 1 FROM ca.%I', source) INTO new_id;
    EXECUTE format('INSERT INTO ca.%1$I SELECT (jsonb_populate_record(NULL::ca.%1$I, to_jsonb(old) '
        '|| jsonb_build_object(''row_id'', $1, ''upd_time'', $2, ''biz_id'', old.biz_id || $3))).* '
        'FROM ca.%1$I old WHERE row_id = $4', source)
        USING new_id, at, CASE WHEN suffix = '' THEN '' ELSE suffix || new_id END, wanted;
END $$;

CREATE FUNCTION ca.rename(source text, old_name text, new_name text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER VIEW exchange.%I RENAME COLUMN %I TO %I',
        'v_' || source, old_name, new_name);
END $$;

CREATE FUNCTION ca.hold(source text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('LOCK TABLE ca.%I IN ACCESS EXCLUSIVE MODE', source);
END $$;

CREATE FUNCTION ca.forbid(source text, reader text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('REVOKE SELECT ON exchange.%I FROM %I', 'v_' || source, reader);
END $$;

CREATE FUNCTION ca.restore(reader text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE line record;
BEGIN
    FOR line IN SELECT * FROM ca.original LOOP
        EXECUTE format('UPDATE ca.%I SET row_state = $2, upd_time = $3 WHERE row_id = $1',
            line.source) USING line.row_id, line.row_state, line.upd_time;
    END LOOP;
    DELETE FROM ca.original;
    FOR line IN SELECT * FROM ca.sync_state LOOP
        EXECUTE format('DELETE FROM ca.%I WHERE row_id > $1', substr(line.view_name, 3))
            USING line.row_count;
    END LOOP;
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA exchange TO %I', reader);
END $$;
