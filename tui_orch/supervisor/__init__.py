"""Who runs when: reads the store, decides by one pure function, starts and stops workers. Owns no worker."""
