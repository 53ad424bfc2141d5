use super::*;

fn of(data_type: DataType, name: Option<&str>) -> (u32, i16, i32) {
    let mut field = Field::new("c", data_type, true);
    if let Some(name) = name {
        field = field.with_metadata([(PG_TYPE.to_owned(), name.to_owned())].into());
    }
    let pg = PgType::of_field(&field).unwrap();
    (pg.oid, pg.length, pg.modifier)
}

#[test]
fn arrow_types_have_postgres_types() {
    let text_list = DataType::new_list(DataType::Utf8View, true);
    for (data_type, expected) in [
        (DataType::Int8, (oid::INT2, 2, -1)),
        (DataType::UInt16, (oid::INT4, 4, -1)),
        (DataType::UInt32, (oid::INT8, 8, -1)),
        (DataType::UInt64, (oid::INT8, 8, -1)),
        (DataType::Decimal128(18, 2), (oid::NUMERIC, -1, (18 << 16) + 2 + 4)),
        (DataType::Null, (oid::TEXT, -1, -1)),
        (text_list.clone(), (1009, -1, -1)),
        (DataType::new_list(text_list, true), (1009, -1, -1)),
        (DataType::Struct(vec![Field::new("a", DataType::Int32, true)].into()), (oid::RECORD, -1, -1)),
    ] {
        assert_eq!(of(data_type.clone(), None), expected, "{data_type}");
    }
}

#[test]
fn metadata_decides_where_the_storage_suits() {
    let shorts = DataType::new_list(DataType::Int16, true);
    for (data_type, name, expected) in [
        (DataType::Utf8, "varchar(20)", (oid::VARCHAR, -1, 24)),
        (DataType::Utf8View, "char(3)", (oid::BPCHAR, -1, 7)),
        (DataType::Utf8, "char", (oid::BPCHAR, -1, 5)),
        (DataType::Utf8, "\"char\"", (oid::CHAR, 1, -1)),
        (DataType::Utf8, "name", (oid::NAME, 64, -1)),
        (DataType::Utf8, "jsonb", (oid::JSONB, -1, -1)),
        (DataType::FixedSizeBinary(16), "uuid", (oid::UUID, 16, -1)),
        (DataType::UInt32, "oid", (oid::OID, 4, -1)),
        (DataType::Int64, "regclass", (oid::REGCLASS, 4, -1)),
        (shorts.clone(), "int2vector", (oid::INT2VECTOR, -1, -1)),
        (DataType::new_list(DataType::Utf8, true), "varchar(5)[]", (1015, -1, 9)),
        (DataType::Decimal128(10, 3), "numeric(10,3)", (oid::NUMERIC, -1, (10 << 16) + 3 + 4)),
        // What does not suit, or is not known, is ignored.
        (DataType::Utf8, "regclass", (oid::TEXT, -1, -1)),
        (DataType::Boolean, "uuid", (oid::BOOL, 1, -1)),
        (DataType::Utf8, "hstore", (oid::TEXT, -1, -1)),
    ] {
        assert_eq!(of(data_type.clone(), Some(name)), expected, "{data_type} as {name}");
    }
}

#[test]
fn what_cannot_be_sent_is_named() {
    let field = Field::new(
        "odd",
        DataType::RunEndEncoded(
            Arc::new(Field::new("run_ends", DataType::Int32, false)),
            Arc::new(Field::new("values", DataType::Utf8, true)),
        ),
        true,
    );
    let error = PgType::of_field(&field).unwrap_err();
    assert_eq!(error.sqlstate(), "0A000");
    assert!(error.message().contains("\"odd\""));
}

#[test]
fn computed_numerics_have_no_modifier() {
    let plain = Field::new("c", DataType::Decimal128(18, 2), true);
    let described = |field: Field| columns(&Schema::new(vec![field])).unwrap()[0].pg.modifier;
    assert_eq!(described(plain.clone()), -1);
    assert_eq!(described(with_origin(plain, 16385, 3)), (18 << 16) + 2 + 4);
}

#[test]
fn declared_parameters_have_arrow_types() {
    assert_eq!(from_oid(oid::INT4), Some(DataType::Int32));
    assert_eq!(from_oid(1007), Some(DataType::new_list(DataType::Int32, true)));
    assert_eq!(from_oid(0), None);
    assert_eq!(from_oid(oid::REGCLASS), None);
    for known in
        [oid::UUID, oid::JSON, oid::VARCHAR, oid::NUMERIC, oid::INT4, 2951, 1231, 1007, oid::TIMESTAMPTZ]
    {
        let field = field_of_oid(known).unwrap();
        let pg = PgType::of_parameter(&field);
        assert_eq!((pg.oid, pg.modifier), (known, -1));
    }
}
