//! A subquery for all outer rows at once: the distinct values that it reads of them, its *keys*, are joined to what it
//! reads and go through every node, so that each row tells for which outer values it is ("Unnesting Arbitrary Queries",
//! Neumann and Kemper, 2015).

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, JoinType, TableReference};
use datafusion::error::Result;
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Distinct, DistinctOn, Expr, ExprFunctionExt, ExprSchemable, FetchType, Filter,
    Join, Limit, LogicalPlan, LogicalPlanBuilder, Operator, Projection, SkipType, Sort, SortExpr,
    SubqueryAlias, Union, Unnest, Values, Window, WindowFunctionDefinition, lit,
};

use super::references::{Places, as_own, is_lateral, reads_outer, redirected, without};

const PRESENT: &str = "__present";

/// The values that a subquery reads of the rows around it.
pub(super) struct Domain {
    /// The distinct keys.
    plan: LogicalPlan,
    keys: Vec<Column>,
    /// Which key an outer column is.
    places: Places,
    number: usize,
}

impl Domain {
    /// Of `outer`, the columns that a subquery reads.
    pub(super) fn new(outer: &LogicalPlan, read: &[(Column, FieldRef)], number: usize) -> Result<Domain> {
        let qualifier = TableReference::bare(format!("__outer_{number}"));
        let mut exprs = Vec::new();
        let mut keys = Vec::new();
        let mut places = Places::new();
        for (place, (column, field)) in read.iter().enumerate() {
            let key = Column::new(Some(qualifier.clone()), format!("__key_{place}"));
            exprs.push(Expr::Column(column.clone()).alias_qualified(Some(qualifier.clone()), &key.name));
            places.insert(column.clone(), (key.clone(), FieldRef::clone(field)));
            keys.push(key);
        }
        let plan = LogicalPlanBuilder::from(outer.clone()).project(exprs)?.distinct()?.build()?;
        Ok(Domain { plan, keys, places, number })
    }

    /// `plan` for each of the keys, which stand before its own columns; `None` if it has a node that cannot be told apart
    /// by keys.
    pub(super) fn through(&self, plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
        match reads_outer(plan)? {
            true => self.through_reader(plan),
            false => self.beside(plan).map(Some),
        }
    }

    fn through_reader(&self, plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
        match plan {
            LogicalPlan::Subquery(subquery) => self.through(&subquery.subquery),
            LogicalPlan::SubqueryAlias(alias) => self.through_alias(alias),
            LogicalPlan::Projection(projection) => self.through_projection(projection),
            LogicalPlan::Filter(filter) => self.through_filter(filter),
            LogicalPlan::Join(join) => self.through_join(join),
            LogicalPlan::Aggregate(aggregate) => self.through_aggregate(aggregate),
            LogicalPlan::Window(window) => self.through_window(window),
            LogicalPlan::Sort(sort) => self.through_sort(sort),
            LogicalPlan::Limit(limit) => self.through_limit(limit),
            LogicalPlan::Distinct(Distinct::All(input)) => self
                .through(input)?
                .map(|input| LogicalPlanBuilder::from(input).distinct()?.build())
                .transpose(),
            LogicalPlan::Distinct(Distinct::On(distinct)) => self.through_distinct_on(distinct),
            LogicalPlan::Union(union) => self.through_union(union),
            LogicalPlan::Unnest(unnest) => self.through_unnest(unnest),
            LogicalPlan::Values(values) => self.through_values(values),
            _ => Ok(None),
        }
    }

    /// A plan that is the same for all keys.
    fn beside(&self, plan: &LogicalPlan) -> Result<LogicalPlan> {
        match plan {
            LogicalPlan::EmptyRelation(empty)
                if empty.produce_one_row && empty.schema.fields().is_empty() =>
            {
                Ok(self.plan.clone())
            }
            _ => LogicalPlanBuilder::from(self.plan.clone()).cross_join(plan.clone())?.build(),
        }
    }

    fn key_exprs(&self) -> Vec<Expr> {
        self.keys.iter().cloned().map(Expr::Column).collect()
    }

    fn own(&self, expr: &Expr, around: &DFSchema) -> Result<Expr> {
        as_own(expr.clone(), &self.places, around)
    }

    fn all_own(&self, exprs: &[Expr], around: &DFSchema) -> Result<Vec<Expr>> {
        exprs.iter().map(|expr| self.own(expr, around)).collect()
    }

    fn own_order(&self, order: &[SortExpr], around: &DFSchema) -> Result<Vec<SortExpr>> {
        let own = order.iter().map(|key| Ok(SortExpr { expr: self.own(&key.expr, around)?, ..key.clone() }));
        own.collect()
    }

    /// A plan whose columns are the keys and those of `schema`, in their order, with their names.
    fn named(&self, plan: LogicalPlan, schema: &DFSchema) -> Result<LogicalPlan> {
        let wanted: Vec<Column> = self.keys.iter().cloned().chain(schema.columns()).collect();
        named_as(plan, &wanted)
    }

    /// `plan`, which has the keys before its own columns, with other names for the keys.
    pub(super) fn set_aside(&self, plan: LogicalPlan, qualifier: &str) -> Result<(LogicalPlan, Vec<Column>)> {
        let qualifier = TableReference::bare(qualifier);
        let aside: Vec<Column> =
            self.keys.iter().map(|key| Column::new(Some(qualifier.clone()), &key.name)).collect();
        let own = plan.schema().columns().split_off(self.keys.len());
        let wanted: Vec<Column> = aside.iter().cloned().chain(own).collect();
        Ok((named_as(plan, &wanted)?, aside))
    }

    fn through_alias(&self, alias: &SubqueryAlias) -> Result<Option<LogicalPlan>> {
        self.through(&alias.input)?.map(|input| self.named(input, &alias.schema)).transpose()
    }

    fn through_projection(&self, projection: &Projection) -> Result<Option<LogicalPlan>> {
        let Some(input) = self.through(&projection.input)? else { return Ok(None) };
        let mut exprs = self.key_exprs();
        for (expr, (qualifier, field)) in projection.expr.iter().zip(projection.schema.iter()) {
            let own = self.own(expr, projection.input.schema())?;
            exprs.push(match own.qualified_name() == (qualifier.cloned(), field.name().clone()) {
                true => own,
                false => own.unalias().alias_qualified(qualifier.cloned(), field.name()),
            });
        }
        Ok(Some(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?)))
    }

    fn through_filter(&self, filter: &Filter) -> Result<Option<LogicalPlan>> {
        let Some(input) = self.through(&filter.input)? else { return Ok(None) };
        let predicate = self.own(&filter.predicate, filter.input.schema())?;
        Ok(Some(LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(input))?)))
    }

    fn through_join(&self, join: &Join) -> Result<Option<LogicalPlan>> {
        if join.null_aware || join.join_type == JoinType::Full {
            return Ok(None);
        }
        if is_lateral(join)? {
            return self.through_lateral(join);
        }
        use JoinType::{Inner, Right, RightAnti, RightMark, RightSemi};
        let (left_reads, right_reads) = (reads_outer(&join.left)?, reads_outer(&join.right)?);
        let follows_right = match join.join_type {
            Right | RightSemi | RightAnti | RightMark => true,
            Inner => right_reads && !left_reads,
            _ => false,
        };
        let (mut left, mut right) = (LogicalPlan::clone(&join.left), LogicalPlan::clone(&join.right));
        let (followed, other, other_reads) = match follows_right {
            true => (&mut right, &mut left, left_reads),
            false => (&mut left, &mut right, right_reads),
        };
        let Some(keyed) = self.through(followed)? else { return Ok(None) };
        *followed = keyed;
        let mut same_keys = None;
        if other_reads {
            let Some(keyed) = self.through(other)? else { return Ok(None) };
            let (keyed, aside) = self.set_aside(keyed, &format!("__beside_{}", self.number))?;
            *other = keyed;
            same_keys = alike(&self.keys, &aside);
        }
        self.joined(join, left, right, same_keys).map(Some)
    }

    /// The right side reads the keys from the left, as it does its other columns.
    fn through_lateral(&self, join: &Join) -> Result<Option<LogicalPlan>> {
        let Some(left) = self.through(&join.left)? else { return Ok(None) };
        let places = without(&self.places, join.left.schema());
        let right = redirected(LogicalPlan::clone(&join.right), &places)?;
        self.joined(join, left, right, None).map(Some)
    }

    fn joined(
        &self,
        join: &Join,
        left: LogicalPlan,
        right: LogicalPlan,
        same_keys: Option<Expr>,
    ) -> Result<LogicalPlan> {
        let around = merge_schema(&[&join.left, &join.right]);
        let own = |expr: &Expr| self.own(expr, &around);
        let on = join.on.iter().map(|(left, right)| Ok((own(left)?, own(right)?)));
        let filter = join.filter.as_ref().map(own).transpose()?;
        let joined = Join::try_new(
            Arc::new(left),
            Arc::new(right),
            on.collect::<Result<_>>()?,
            filter.into_iter().chain(same_keys).reduce(Expr::and),
            join.join_type,
            join.join_constraint,
            join.null_equality,
            false,
        )?;
        let wanted = self.key_exprs().into_iter().chain(join.schema.columns().into_iter().map(Expr::Column));
        let ordered = Projection::try_new(wanted.collect(), Arc::new(LogicalPlan::Join(joined)))?;
        Ok(LogicalPlan::Projection(ordered))
    }

    fn through_aggregate(&self, aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
        if matches!(aggregate.group_expr.as_slice(), [Expr::GroupingSet(_)]) {
            return Ok(None);
        }
        let Some(mut input) = self.through(&aggregate.input)? else { return Ok(None) };
        let around = aggregate.input.schema();
        let mut groups = self.key_exprs();
        groups.extend(self.all_own(&aggregate.group_expr, around)?);
        let mut aggregates = self.all_own(&aggregate.aggr_expr, around)?;
        if aggregate.group_expr.is_empty() {
            let (every_key, present) = self.every_key(input)?;
            input = every_key;
            let of_present = aggregates.into_iter().map(|expr| only_where(expr, &present));
            aggregates = of_present.collect::<Result<_>>()?;
        }
        let plan = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), groups, aggregates)?);
        self.named(plan, &aggregate.schema).map(Some)
    }

    /// A row for each key that `plan` has none for, and what tells the others: an aggregate has a value for no rows.
    fn every_key(&self, plan: LogicalPlan) -> Result<(LogicalPlan, Expr)> {
        let qualifier = format!("__within_{}", self.number);
        let (aside, keys) = self.set_aside(plan, &qualifier)?;
        let present = Column::new(Some(TableReference::bare(qualifier)), PRESENT);
        let mut exprs: Vec<Expr> = aside.schema().columns().into_iter().map(Expr::Column).collect();
        exprs.push(lit(true).alias_qualified(present.relation.clone(), PRESENT));
        let marked = LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(aside))?);
        let joined = LogicalPlanBuilder::from(self.plan.clone())
            .join_on(marked, JoinType::Left, alike(&self.keys, &keys))?
            .build()?;
        Ok((joined, Expr::Column(present).is_not_null()))
    }

    fn through_window(&self, window: &Window) -> Result<Option<LogicalPlan>> {
        let Some(input) = self.through(&window.input)? else { return Ok(None) };
        let mut exprs = Vec::with_capacity(window.window_expr.len());
        for expr in &window.window_expr {
            let own = self.own(expr, window.input.schema())?;
            let parted = own.transform(|part| match part {
                Expr::WindowFunction(mut function) => {
                    let mut parts = self.key_exprs();
                    parts.append(&mut function.params.partition_by);
                    function.params.partition_by = parts;
                    Ok(Transformed::yes(Expr::WindowFunction(function)))
                }
                other => Ok(Transformed::no(other)),
            })?;
            exprs.push(parted.data);
        }
        let plan = LogicalPlan::Window(Window::try_new(exprs, Arc::new(input))?);
        self.named(plan, &window.schema).map(Some)
    }

    fn through_sort(&self, sort: &Sort) -> Result<Option<LogicalPlan>> {
        let Some(input) = self.through(&sort.input)? else { return Ok(None) };
        let order = self.own_order(&sort.expr, sort.input.schema())?;
        match sort.fetch {
            Some(fetch) => self.first_rows(input, order, sort.input.schema(), 0, Some(fetch)).map(Some),
            None => LogicalPlanBuilder::from(input).sort(order)?.build().map(Some),
        }
    }

    fn through_limit(&self, limit: &Limit) -> Result<Option<LogicalPlan>> {
        let (SkipType::Literal(skip), FetchType::Literal(fetch)) =
            (limit.get_skip_type()?, limit.get_fetch_type()?)
        else {
            return Ok(None);
        };
        match limit.input.as_ref() {
            // The keys of the order are below what is put out.
            LogicalPlan::Projection(projection) => {
                let below = Limit { input: Arc::clone(&projection.input), ..limit.clone() };
                let input = Arc::new(LogicalPlan::Limit(below));
                let projected = Projection::try_new_with_schema(
                    projection.expr.clone(),
                    input,
                    Arc::clone(&projection.schema),
                )?;
                self.through_projection(&projected)
            }
            LogicalPlan::Sort(sort) if sort.fetch.is_none() => {
                let Some(input) = self.through(&sort.input)? else { return Ok(None) };
                let order = self.own_order(&sort.expr, sort.input.schema())?;
                self.first_rows(input, order, sort.input.schema(), skip, fetch).map(Some)
            }
            input => {
                let Some(keyed) = self.through(input)? else { return Ok(None) };
                self.first_rows(keyed, Vec::new(), input.schema(), skip, fetch).map(Some)
            }
        }
    }

    /// The first rows for each key.
    fn first_rows(
        &self,
        input: LogicalPlan,
        order: Vec<SortExpr>,
        schema: &DFSchema,
        skip: usize,
        fetch: Option<usize>,
    ) -> Result<LogicalPlan> {
        let function = WindowFunctionDefinition::WindowUDF(row_number_udwf());
        let number = Expr::from(WindowFunction::new(function, Vec::new()))
            .partition_by(self.key_exprs())
            .order_by(order)
            .build()?;
        let windowed = LogicalPlan::Window(Window::try_new(vec![number], Arc::new(input))?);
        let Some(place) = windowed.schema().columns().pop() else { return Ok(windowed) };
        let bound = |rows: usize| lit(i64::try_from(rows).unwrap_or(i64::MAX));
        let mut condition = Expr::Column(place.clone()).gt(bound(skip));
        if let Some(fetch) = fetch {
            condition = condition.and(Expr::Column(place).lt_eq(bound(skip.saturating_add(fetch))));
        }
        let kept = LogicalPlan::Filter(Filter::try_new(condition, Arc::new(windowed))?);
        let wanted = self.key_exprs().into_iter().chain(schema.columns().into_iter().map(Expr::Column));
        Ok(LogicalPlan::Projection(Projection::try_new(wanted.collect(), Arc::new(kept))?))
    }

    fn through_distinct_on(&self, distinct: &DistinctOn) -> Result<Option<LogicalPlan>> {
        let Some(input) = self.through(&distinct.input)? else { return Ok(None) };
        let around = distinct.input.schema();
        let with_keys = |exprs: &[Expr]| -> Result<Vec<Expr>> {
            Ok(self.key_exprs().into_iter().chain(self.all_own(exprs, around)?).collect())
        };
        let order = match &distinct.sort_expr {
            Some(order) => {
                let keys = self.key_exprs().into_iter().map(|key| key.sort(true, false));
                Some(keys.chain(self.own_order(order, around)?).collect())
            }
            None => None,
        };
        let plan = LogicalPlanBuilder::from(input)
            .distinct_on(with_keys(&distinct.on_expr)?, with_keys(&distinct.select_expr)?, order)?
            .build()?;
        self.named(plan, &distinct.schema).map(Some)
    }

    fn through_union(&self, union: &Union) -> Result<Option<LogicalPlan>> {
        let mut inputs = Vec::with_capacity(union.inputs.len());
        for input in &union.inputs {
            let Some(keyed) = self.through(input)? else { return Ok(None) };
            inputs.push(Arc::new(keyed));
        }
        let plan = LogicalPlan::Union(Union::try_new_with_loose_types(inputs)?);
        self.named(plan, &union.schema).map(Some)
    }

    fn through_unnest(&self, unnest: &Unnest) -> Result<Option<LogicalPlan>> {
        let Some(input) = self.through(&unnest.input)? else { return Ok(None) };
        let plan = LogicalPlanBuilder::from(input)
            .unnest_columns_with_options(unnest.exec_columns.clone(), unnest.options.clone())?
            .build()?;
        self.named(plan, &unnest.schema).map(Some)
    }

    /// A branch of a union for each row.
    fn through_values(&self, values: &Values) -> Result<Option<LogicalPlan>> {
        let mut branches = Vec::with_capacity(values.values.len());
        for row in &values.values {
            let mut exprs = self.key_exprs();
            for (value, field) in row.iter().zip(values.schema.fields()) {
                let own = self.own(value, &DFSchema::empty())?;
                exprs.push(own.cast_to(field.data_type(), self.plan.schema())?.alias(field.name()));
            }
            let branch = Projection::try_new(exprs, Arc::new(self.plan.clone()))?;
            branches.push(Arc::new(LogicalPlan::Projection(branch)));
        }
        let plan = match branches.len() {
            1 => branches.remove(0).as_ref().clone(),
            _ => LogicalPlan::Union(Union::try_new_with_loose_types(branches)?),
        };
        self.named(plan, &values.schema).map(Some)
    }
}

/// `plan` with the names of `wanted`, which are as many.
pub(super) fn named_as(plan: LogicalPlan, wanted: &[Column]) -> Result<LogicalPlan> {
    if plan.schema().columns() == wanted {
        return Ok(plan);
    }
    let columns = plan.schema().columns().into_iter().zip(wanted);
    let named = columns.map(|(column, wanted)| match column == *wanted {
        true => Expr::Column(column),
        false => Expr::Column(column).alias_qualified(wanted.relation.clone(), &wanted.name),
    });
    let named = named.collect();
    Ok(LogicalPlan::Projection(Projection::try_new(named, Arc::new(plan))?))
}

/// Whether keys are the same; NULL is the same as NULL.
pub(super) fn alike(left: &[Column], right: &[Column]) -> Option<Expr> {
    let pairs = left.iter().zip(right).map(|(left, right)| {
        let [left, right] = [left, right].map(|column| Box::new(Expr::Column(column.clone())));
        Expr::BinaryExpr(BinaryExpr::new(left, Operator::IsNotDistinctFrom, right))
    });
    pairs.reduce(Expr::and)
}

/// An aggregate of the rows for which `condition` holds.
fn only_where(aggregate: Expr, condition: &Expr) -> Result<Expr> {
    let filtered = aggregate.transform_down(|part| match part {
        Expr::AggregateFunction(mut call) => {
            let given = call.params.filter.take().map(|filter| *filter);
            let filter = given.into_iter().fold(condition.clone(), Expr::and);
            call.params.filter = Some(Box::new(filter));
            Ok(Transformed::yes(Expr::AggregateFunction(call)))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(filtered.data)
}
