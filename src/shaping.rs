//! Another shape for a JSON value, as the file says.
//!
//! | file | its step |
//! | --- | --- |
//! | [`mask`] | `pick`, `drop`: which places stay |
//! | [`rename`] | `rename`: other names, in place |
//! | [`moves`] | `move`: values go to other places |
//! | [`gather`] | `concat`, `zip`: arrays made of arrays |
//! | [`join`] | `join`: one array looked up for another |
//! | [`flatten`] | `flatten`: one level less |
//! | [`fields`] | what a client picks |
//!
//! The steps go in this order: `at`, `pick`, `drop`, `rename`, `move`, `concat`, `zip`, `join`, `set`,
//! `flatten`, `wrap`. What no step looks at is written as it came. A shaping takes time by the size of
//! its value, and makes at most some times as much of it (see [`Room`]).

pub mod fields;
pub mod flatten;
pub mod gather;
pub mod join;
pub mod mask;
pub mod moves;
pub mod rename;
#[cfg(test)]
mod tests;
pub mod together;

use crate::json;
use crate::json::path::Path;
use crate::json::places::{Found, Room, put};
use crate::json::tree::{Json, Key};
use crate::settings::{List, Named, Node, Place, Problems, Text, shape};
use gather::Gather;
use join::{Join, JoinSettings};
use mask::{Mask, Source};
use moves::Move;
use rename::Renames;

shape! {
    /// Another shape for a JSON value. The steps are made in this order, whatever the order in the file: at, pick,
    /// drop, rename, move, concat, zip, join, set, flatten, wrap.
    /// A name in a path means that member of every element, where it is asked of an array.
    pub struct ShapingSettings {
        /// The value inside that counts. A path through arrays, or with "*", gives an array of what is
        /// there. Nothing there is a failure.
        "at" => at: Option<Path> = "data.items",
        /// The places to keep; all others are left out. Elements of arrays keep their number: an object
        /// without any of them becomes {}, and what is neither object nor array becomes null.
        "pick" => pick: Option<List<Path>> = ["id", "items.price"],
        /// The places to leave out. It goes before `concat`, `zip` and `join`; what they need is left out in a later
        /// step, of `shape`.
        "drop" => drop: Option<List<Path>> = ["password", "items.cost"],
        /// Other names for members, which stay in their place. The paths are those of before.
        "rename" => rename: Named<String> = { "items.nm": "name" },
        /// Values that go to another place, from and to. What both paths begin with is gone once, so that
        /// within an array each element keeps its own. Objects on the way are made.
        "move" => moves: Named<Path> = { "items.price.amount": "items.amount" },
        /// Arrays made of others, one after the other. What is no array counts as one element, null as none.
        "concat" => concat: Named<List<Path>> = { "all": ["open", "closed"] },
        /// Arrays of objects, made of arrays side by side: the first object has the first element of each.
        "zip" => zip: Named<Named<Path>> = { "days": { "date": "dates", "high": "temperatures.max" } },
        /// Arrays that get values of others, by a key.
        "join" => join: Option<List<JoinSettings>> = [{
            "into": "orders", "with": "users", "by": "user_id", "match": "id", "as": "user"
        }],
        /// Constants, and where they are put; no {values} are filled in. Objects on the way are made.
        "set" => set: Named<Node> = { "source": "orders", "meta.version": 2 },
        /// The places to have one level less: an object's members take its place among the others, which
        /// win, and an array's arrays are replaced by their elements.
        "flatten" => flatten: Option<List<Path>> = ["attributes"],
        /// The name under which all of it becomes the one member of an object.
        "wrap" => wrap: Option<String> = "orders",
    }
}

/// A compiled shaping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shaping {
    at: Path,
    pick: Option<Mask>,
    drop: Mask,
    renames: Renames,
    moves: Vec<Move>,
    /// `concat`, then `zip`.
    gathers: Vec<Gather>,
    joins: Vec<Join>,
    /// Where, and what, as JSON text.
    constants: Vec<(Path, String)>,
    flatten: Vec<Path>,
    /// As a JSON string.
    wrap: Option<String>,
}

/// Why a value cannot have the shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unshapeable {
    /// There is nothing where `at` leads.
    NoValue,
    /// It would become many times as large.
    TooLarge,
}

/// How much a value may grow by copies, however small it is.
const ROOM: usize = 8 << 20;

/// The room for copies that are made of so many bytes.
pub fn room_for(bytes: usize) -> Room {
    Room::of(ROOM.saturating_add(bytes.saturating_mul(4)))
}

impl Shaping {
    /// Compiles a shaping; notes each fault.
    pub fn compile(settings: ShapingSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        warn_of_early_drop(&settings, place, problems);
        let picked = settings.pick.and_then(|paths| paths_below(paths, &place.at("pick"), problems));
        let dropped = settings.drop.and_then(|paths| paths_below(paths, &place.at("drop"), problems));
        if let (Some(Some(picked)), Some(Some(dropped))) = (&picked, &dropped)
            && picked.iter().any(|path| dropped.iter().any(|other| path.steps().starts_with(other.steps())))
        {
            problems.add(&place.at("drop"), "leaves out what is picked");
            return None;
        }
        let renames = settings.rename.and_then(|all| Renames::compile(all, &place.at("rename"), problems));
        let moves = settings.moves.and_then(|all| Move::compile(all, &place.at("move"), problems));
        let concats = settings.concat.and_then(|all| Gather::compile_concat(all, &place.at("concat"), problems));
        let zips = settings.zip.and_then(|all| Gather::compile_zip(all, &place.at("zip"), problems));
        let joins = settings.join.and_then(|joins| {
            let place = place.at("join");
            let joins = joins.into_iter().flat_map(|joins| joins.0).enumerate();
            let joins: Vec<_> = joins.map(|(at, join)| Join::compile(join?, &place.at(at), problems)).collect();
            joins.into_iter().collect::<Option<Vec<_>>>()
        });
        let constant = |path, node: Node, _: &Place<'_>, _: &mut Problems| Some((path, node.to_json()));
        let constants = settings.set.and_then(|all| compiled(all, &place.at("set"), problems, constant));
        let flatten = settings.flatten.and_then(|paths| paths.map_or(Some(Vec::new()), all));
        Some(Self {
            at: settings.at?.unwrap_or_default(),
            pick: picked?.map(|paths| paths.iter().collect()),
            drop: dropped?.iter().flatten().collect(),
            renames: renames?,
            moves: moves?,
            gathers: concats?.into_iter().chain(zips?).collect(),
            joins: joins?,
            constants: constants?,
            flatten: flatten?,
            wrap: settings.wrap?.map(|name| json::string(&name)),
        })
    }

    /// Whether every value is left as it is.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it begins with what goes over all of the value, so that it is of use to know where all in it is.
    pub fn begins_everywhere(&self) -> bool {
        self.at.steps().is_empty() && (self.pick.is_some() || !self.drop.is_empty())
    }

    /// The value in this shape.
    pub fn apply<'t>(&'t self, value: Json<'t>) -> Result<Json<'t>, Unshapeable> {
        Self::apply_all([self], value.into())
    }

    /// The value after several shapings, which have the room of one: each could fill its own with what the
    /// one before has made.
    pub fn apply_all<'t>(all: impl IntoIterator<Item = &'t Self>, value: Source<'t>) -> Result<Json<'t>, Unshapeable> {
        let mut room = room_for(value.size());
        let shaped = all.into_iter().try_fold(value, |value, shaping| Ok(shaping.apply_in(&mut room, value)?.into()));
        shaped.map(Source::json)
    }

    fn apply_in<'t>(&'t self, room: &mut Room, mut source: Source<'t>) -> Result<Json<'t>, Unshapeable> {
        if !self.at.steps().is_empty() {
            source = Found::at(self.at.steps(), &source.json()).into_one().ok_or(Unshapeable::NoValue)?.into();
        }
        if let Some(mask) = &self.pick {
            source = mask.pick(source).into();
        }
        let mut value = if self.drop.is_empty() { source.json() } else { self.drop.drop(source) };
        self.renames.apply(&mut value);
        self.moves.iter().for_each(|step| step.apply(&mut value, room));
        self.gathers.iter().for_each(|step| step.apply(&mut value, room));
        self.joins.iter().for_each(|step| step.apply(&mut value, room));
        self.constants.iter().for_each(|(path, text)| put(path.steps(), &mut value, &Json::Raw(text), room));
        self.flatten.iter().for_each(|path| flatten::flatten(path, &mut value));
        if let Some(name) = &self.wrap {
            value = Json::Object(vec![(Key::spelled(name), value)]);
        }
        if room.is_exceeded { Err(Unshapeable::TooLarge) } else { Ok(value) }
    }
}

/// A list of which no element is at fault.
fn all<T>(list: List<T>) -> Option<Vec<T>> {
    list.0.into_iter().collect()
}

/// Paths that lead somewhere, and at least one, if there is a list of them.
fn paths_below(paths: Option<List<Path>>, place: &Place<'_>, problems: &mut Problems) -> Option<Option<Vec<Path>>> {
    let Some(paths) = paths else {
        return Some(None);
    };
    if paths.0.is_empty() || paths.0.iter().flatten().any(|path| path.steps().is_empty()) {
        problems.add(place, "must be paths that lead into the value");
        return None;
    }
    all(paths).map(Some)
}

/// Warns of a `drop` of what is still to be put together: it goes first.
fn warn_of_early_drop(settings: &ShapingSettings, place: &Place<'_>, problems: &mut Problems) {
    let mut dropped = settings.drop.iter().flatten().flat_map(|paths| paths.0.iter().flatten());
    // What is renamed or moved may come to stand there anew.
    let is_empty = |written: Option<bool>| written == Some(true);
    if !is_empty(settings.rename.as_ref().map(|all| all.0.is_empty()))
        || !is_empty(settings.moves.as_ref().map(|all| all.0.is_empty()))
    {
        return;
    }
    let of_concat = settings.concat.iter().flat_map(|all| &all.0).filter_map(|(_, paths)| paths.as_ref());
    let of_concat = of_concat.flat_map(|paths| paths.0.iter().flatten()).map(|path| ("concat", path));
    let of_zip = settings.zip.iter().flat_map(|all| &all.0).filter_map(|(_, columns)| columns.as_ref());
    let of_zip = of_zip.flat_map(|columns| &columns.0).filter_map(|(_, path)| Some(("zip", path.as_ref()?)));
    let of_join = settings.join.iter().flatten().flat_map(|joins| joins.0.iter().flatten());
    let of_join = of_join.filter_map(|join| Some(("join", join.with.as_ref()?)));
    let asked: Vec<(&str, &Path)> = of_concat.chain(of_zip).chain(of_join).collect();
    let key = dropped.find_map(|dropped| {
        let lost = asked.iter().find(|(_, path)| path.steps().starts_with(dropped.steps()));
        lost.map(|(key, _)| *key)
    });
    if let Some(key) = key {
        let message =
            format!("leaves out what {key:?} asks for, and goes before it; a \"drop\" in \"shape\" goes after it");
        problems.warn(&place.at("drop"), message);
    }
}

/// Compiles what stands under each path; notes each fault.
fn compiled<V, T>(
    settings: Named<V>,
    place: &Place<'_>,
    problems: &mut Problems,
    compile: impl Fn(Path, V, &Place<'_>, &mut Problems) -> Option<T>,
) -> Option<Vec<T>> {
    let each = |(path, value): (String, Option<V>)| {
        let place = place.at(&path);
        let path = Path::read(&path).map_err(|why| problems.add(&place, why)).ok();
        compile(path?, value?, &place, problems)
    };
    // Collected in two steps, so that a fault does not hide the next.
    let all: Vec<Option<T>> = settings.0.into_iter().map(each).collect();
    all.into_iter().collect()
}
