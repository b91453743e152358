#pragma once
/// Verbs that change what is stored, as requests: the same document whether the program that was
/// asked carries it out, or hands it to the one that has the state directory. An object with a
/// `verb`:
///
///   create    objects: documents, stored together or not at all
///   put       objects: stored, or put in the place of what is there
///   update    objects: in the place of what is there, which must be
///   remove    kind, namespace, name
///   retry     workflow, namespace, restartSuccessful, nodeFieldSelector, parameters
///   resubmit  workflow, namespace, name, memoized, nodeFieldSelector, parameters, priority
///
/// The answer of the first three is a list of the names given to the objects, of the last two
/// the workflow's name.

#include "cli/session.h"
#include "cluster/store/store.h"
#include "workflows/engine/engine.h"

#include <filesystem>

namespace tiphys::app {

/// What a store verb works on.
struct StoreVerbPlace {
  store::Store& store;
  std::filesystem::path logs;
  workflows::TimePoint now;
};

/// The rows of a run, for its engine.
Result<std::vector<workflows::StoredRow>> stored_rows(const store::Store& store,
                                                      const std::string& uid);

/// Carries a request out in a store that may be written. What was written is durable when the store
/// says so. Errors: bad_request (no such verb), already_exists, not_found, and those of retry and
/// resubmit; nothing has been changed then.
Result<doc::Value> carry_out(const StoreVerbPlace& place, const doc::Value& request);

/// Carries out a verb on the record of a run that nobody runs; the run goes on from there when it
/// is resumed. Errors: not_found, conflict (it has ended), those of Engine::apply.
Result<> change_record(const StoreVerbPlace& place, const cli::Control& control);

doc::Value request_of(const cli::RetryRequest& request, const std::string& namespace_name);
doc::Value request_of(const cli::ResubmitRequest& request, const std::string& namespace_name,
                      const std::string& new_name);
doc::Value objects_request(std::string_view verb, std::vector<doc::Value> objects);

}  // namespace tiphys::app
