//! Conversions of a list's elements, and of a map's keys and values.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::executor::block_on;
use generated::elements::elements::{Account, Bank};
use generated::{Money, Pair, Ware};
use multiprocess::Error;

struct Counting;

impl Bank for Counting {
    fn sum(&self, amounts: &[Money]) -> Result<i64, Error> {
        Ok(amounts.iter().map(|amount| i64::from(amount.0)).sum())
    }

    fn sort(&self, amounts: &[Vec<Money>]) -> Result<Vec<Vec<Money>>, Error> {
        let mut amounts = amounts.to_vec();
        for list in &mut amounts {
            list.sort();
        }
        Ok(amounts)
    }

    fn distinct(&self, amounts: &BTreeSet<Money>) -> Result<BTreeSet<Money>, Error> {
        Ok(amounts.clone())
    }

    fn prices(
        &self,
        value: &BTreeMap<Ware, Money>,
    ) -> Result<HashMap<Ware, Option<Vec<u8>>>, Error> {
        let bytes = |amount: &Money| (amount.0 != 0).then(|| amount.0.to_be_bytes().to_vec());
        let entries = value
            .iter()
            .map(|(ware, amount)| (ware.clone(), bytes(amount)));
        Ok(entries.collect())
    }

    fn account(&self, value: &Account) -> Result<Account, Error> {
        Ok(value.clone())
    }
}

fn ware(name: &str) -> Ware {
    Ware(name.to_owned())
}

#[test]
fn elements_keys_and_values_are_converted_both_ways() {
    let bank: Arc<dyn Bank> = Arc::new(Counting);
    let pair = Pair::new(bank);
    let bank = &pair.client;
    assert_eq!(bank.sum(&[Money(1), Money(-3)]).unwrap(), -2);
    let lists = [vec![Money(2), Money(1)], vec![]];
    assert_eq!(
        bank.sort(&lists).unwrap(),
        [vec![Money(1), Money(2)], vec![]]
    );
    let set = BTreeSet::from([Money(i32::MIN), Money(i32::MAX)]);
    assert_eq!(bank.distinct(&set).unwrap(), set);
    let prices = BTreeMap::from([(ware("tea"), Money(1)), (ware("air"), Money(0))]);
    let expected = HashMap::from([(ware("tea"), Some(vec![0, 0, 0, 1])), (ware("air"), None)]);
    assert_eq!(bank.prices(&prices).unwrap(), expected);
    assert_eq!(block_on(bank.prices_async(&prices)).unwrap(), expected);
    let account = Account {
        owner: ware("Ada"),
        parts: vec![Money(5)],
    };
    assert_eq!(bank.account(&account).unwrap(), account);
}

#[test]
fn an_element_that_cannot_be_converted_is_an_error_that_names_its_place() {
    let bank: Arc<dyn Bank> = Arc::new(Counting);
    let pair = Pair::new(bank);
    let bad = BTreeMap::from([(ware("two words"), Money(1))]);
    let error = pair.client.prices(&bad).unwrap_err().to_string();
    assert!(
        error.contains("Price.ware") && error.contains("no spaces"),
        "{error}"
    );
}
