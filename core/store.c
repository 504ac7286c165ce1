/* store.c - the contract's calls, handed to the backend. */
#include "store.h"

int store_commit(struct store *store, struct step *step, store_commit_cb *cb, void *arg)
{
	return store->ops->commit(store, step, cb, arg);
}

int store_load_citizen(struct store *store, const char *citizen, const char *connection,
		       const char *provider_id, store_citizen_cb *cb, void *arg)
{
	return store->ops->load_citizen(store, citizen, connection, provider_id, cb, arg);
}

int store_records(struct store *store, const struct record_query *query, store_records_cb *cb,
		  void *arg)
{
	return store->ops->records(store, query, cb, arg);
}

int store_verify(struct store *store, const char *plugin, const char *table,
		 const struct record_chain *from, store_chain_cb *cb, void *arg)
{
	return store->ops->verify(store, plugin, table, from, cb, arg);
}

int store_find(struct store *store, const struct find *find, store_find_cb *cb, void *arg)
{
	return store->ops->find(store, find, cb, arg);
}

int store_bundle(struct store *store, const unsigned char hash[static BUNDLE_SIZE],
		 store_bundle_cb *cb, void *arg)
{
	return store->ops->bundle(store, hash, cb, arg);
}

int store_retain(struct store *store, const struct retention *retention, store_done_cb *cb,
		 void *arg)
{
	return store->ops->retain(store, retention, cb, arg);
}

uint64_t store_secret(struct store *store)
{
	return store->ops->secret(store);
}

bool store_lost(const struct store *store)
{
	return store->ops->lost && store->ops->lost(store);
}

void store_close(struct store *store)
{
	if (store)
		store->ops->close(store);
}
